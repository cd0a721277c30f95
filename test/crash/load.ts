import { incremental, pipeline, resource, source, type ResourceContext } from '../../src/index.ts'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'

/** The load that is killed: rows come from a server in pages, packages are small, so that a run has many. */
const [baseUrl, path, mode = 'merge'] = process.argv.slice(2)

async function page(name: string, after: number): Promise<{ id: number }[]> {
  const response = await fetch(`${baseUrl}/${name}?after=${after}`)
  return (await response.json()) as { id: number }[]
}

async function* pages(name: string, start: number): AsyncGenerator<{ id: number }[]> {
  for (let after = start; ;) {
    const rows = await page(name, after)
    if (rows.length === 0) return
    yield rows
    after = rows.at(-1)!.id
  }
}

const events = resource('events', ({ cursor }: ResourceContext) => pages('events', Number(cursor?.startValue ?? 0)), {
  incremental: incremental('id', { rowOrder: 'asc' }),
  writeDisposition: 'append',
})
const chats = resource('chats', ({ cursor }: ResourceContext) => pages('chats', Number(cursor?.startValue ?? 0)), {
  incremental: incremental('id'),
  writeDisposition: 'merge',
  primaryKey: 'id',
})
const snapshot = resource('snapshot', () => pages('snapshot', 0), { writeDisposition: 'replace' })

const loading = pipeline({
  name: 'crash',
  dataset: 'data',
  destination: duckdb({ path: path! }),
  package: { maxBytes: 20_000 },
})
const resources = mode === 'replace' ? [snapshot] : [events, chats]
const info = await loading.run(source('crash', resources))
// The second line that a process prints is a further run, which must find nothing.
console.log(JSON.stringify(info.rows))
if (mode === 'merge') console.log(JSON.stringify((await loading.run(source('crash', resources))).rows))
