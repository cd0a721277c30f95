/**
 * Measures what a second worker brings: the same parts of a job, done by one worker and by two, in turns. Each worker does one
 * item at a time: `npm run bench:workers`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../test/support/postgres-server.ts'
import { pages } from './data.ts'

const rounds = 3
const root = join(import.meta.dirname, '../src')
const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-workers-'))

/** Both read pages of rows from a server on this machine, and load into PostgreSQL on this machine. */
const workloads = [
  {
    name: 'waits',
    what: 'the API takes 200 ms for a page',
    parts: 40,
    pagesOfPart: 5,
    rowsOfPage: 200,
    latencyMs: 200,
  },
  { name: 'parses', what: 'the API answers at once', parts: 16, pagesOfPart: 10, rowsOfPage: 2000, latencyMs: 0 },
]
type Workload = (typeof workloads)[number]

const bodies = new Map(
  workloads.map(({ name, rowsOfPage }) => {
    const [page] = pages('flat', rowsOfPage, 'http://127.0.0.1')
    const { data } = JSON.parse(page!.toString()) as { data: unknown[] }
    return [name, Buffer.from(JSON.stringify({ rows: data.slice(0, rowsOfPage) }))]
  }),
)
const server = createServer((request, response) => {
  const name = request.url!.split('/')[1]!
  const { latencyMs } = workloads.find((one) => one.name === name)!
  setTimeout(() => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(bodies.get(name))
  }, latencyMs)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const postgres = await startPostgres()
const jobs = workloads.map(
  ({ name, parts, pagesOfPart }) => `
export const ${name} = job({
  partitions: Array.from({ length: ${parts} }, (_, at) => ({ name: 'part-' + at })),
  run: ({ partition, signal }) =>
    pipeline({ name: '${name}', dataset: '${name}_' + partition.run!.replaceAll(/\\D/g, ''), destination }).run(
      source('${name}', [
        resource('rows', async function* () {
          for (let page = 0; page < ${pagesOfPart}; page++) {
            const answer = await fetch('${baseUrl}/${name}')
            yield ((await answer.json()) as { rows: unknown[] }).rows
          }
        }),
      ]),
      { partition, signal },
    ),
})`,
)
writeFileSync(
  join(folder, 'sluice.jobs.ts'),
  `import { pipeline, resource, source } from ${JSON.stringify(join(root, 'index.ts'))}
import { postgres } from ${JSON.stringify(join(root, 'destinations/postgres/postgres.ts'))}
import { job } from ${JSON.stringify(join(root, 'jobs/index.ts'))}
const destination = postgres({ url: process.env.WORKERS__QUEUE! })
${jobs.join('\n')}`,
)

interface Line {
  at: string
  type: string
}

async function sluice(...args: string[]): Promise<Line[]> {
  const child = spawn(process.execPath, [join(root, 'cli/main.ts'), 'worker', ...args], {
    cwd: folder,
    env: { ...process.env, WORKERS__QUEUE: postgres.url, SLUICE_DATA_DIR: mkdtempSync(join(folder, 'data-')) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`sluice worker ${args.join(' ')} ended with ${code}: ${text}`)
  const lines = text.split('\n').filter((line) => line.startsWith('{"at"'))
  return lines.map((line) => JSON.parse(line) as Line)
}

/** From the first item's begin to the last one's end, in seconds; the start of the processes is not in it. */
async function measure({ name, parts }: Workload, workers: number): Promise<number> {
  await sluice('add', name, '--again')
  const start = (): Promise<Line[]> => sluice('--until-done', '--parallel', '1', '--json')
  const events = (await Promise.all(Array.from({ length: workers }, start))).flat()
  const moments = (type: string): number[] =>
    events.filter((event) => event.type === type).map(({ at }) => Date.parse(at))
  const done = moments('item-done')
  if (done.length !== parts) throw new Error(`${done.length} of ${parts} items were done`)
  return (Math.max(...done) - Math.min(...moments('item-begun'))) / 1000
}

const middle = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!

console.log('| parts | one worker | two workers | times as fast |\n| --- | ---: | ---: | ---: |')
for (const workload of workloads) {
  const { what, parts, pagesOfPart, rowsOfPage } = workload
  const [one, two]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    one.push(await measure(workload, 1))
    two.push(await measure(workload, 2))
  }
  const ratios = one.map((seconds, at) => seconds / two[at]!)
  const rows = `${parts} of ${(pagesOfPart * rowsOfPage).toLocaleString('en-US')} rows`
  console.log(
    `| ${rows}; ${what} | ${middle(one).toFixed(1)} s | ${middle(two).toFixed(1)} s | ${middle(ratios).toFixed(2)} (${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}) |`,
  )
}
server.close()
await postgres.stop()
