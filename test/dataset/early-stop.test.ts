import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDuckdb } from '../../src/destinations/duckdb/connection.ts'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { attach, pipeline, type Dataset, type Pipeline } from '../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-early-stop-'))
const path = join(folder, 'shop.duckdb')
let target: Pipeline
beforeAll(async () => {
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  target = pipeline({ name: 'shop', dataset: 'd', destination: duckdb({ path }) })
  const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, note: 'x'.repeat(50) }))
  await target.run(rows, { tableName: 't' })
})

const prober = spawn(
  process.execPath,
  [
    '--input-type=module',
    '-e',
    `const { DuckDBInstance } = await import('@duckdb/node-api')
    for await (const _line of process.stdin) {
      try {
        (await DuckDBInstance.create(process.argv[1])).closeSync()
        console.log('free')
      } catch (error) {
        console.log(String(error).split('\\n')[0])
      }
    }`,
    path,
  ],
  { stdio: ['pipe', 'pipe', 'inherit'] },
)
afterAll(() => prober.stdin.end())

/** What another process that wants to write the file is told: "free", or DuckDB's error. */
async function asAnotherProcess(): Promise<string> {
  prober.stdin.write('try\n')
  const [line] = (await once(prober.stdout, 'data')) as [Buffer]
  return line.toString().trim()
}

const stops: [string, (data: Dataset) => Promise<unknown>][] = [
  [
    'break on pages',
    async (data) => {
      for await (const _page of data.table('t')) break
    },
  ],
  [
    'break on rows',
    async (data) => {
      for await (const _row of data.table('t').rows()) break
    },
  ],
  [
    'an error in the loop',
    async (data) => {
      const loop = async () => {
        for await (const _row of data.table('t').rows()) throw new Error('enough')
      }
      await expect(loop()).rejects.toThrow('enough')
    },
  ],
  [
    'return() before and after the first page',
    async (data) => {
      await data.table('t')[Symbol.asyncIterator]().return(undefined)
      const pages = data.table('t')[Symbol.asyncIterator]()
      await pages.next()
      await pages.return(undefined)
    },
  ],
  [
    'a stream that is aborted',
    async (data) => {
      const abort = new AbortController()
      const stream = Readable.from(data.table('t').rows(), { signal: abort.signal })
      await once(stream, 'readable')
      const closed = once(stream, 'close').catch(() => undefined)
      abort.abort()
      await closed
      await sleep(50)
    },
  ],
  ['the first rows', (data) => data.table('t').first({ rows: 3, bytes: 1e6 })],
  ['the columns', (data) => data.table('t').columns()],
  [
    'a query that fails on a later page',
    async (data) => {
      const failing = data.query(
        "select case when id > 15000 then error('late') else id end as id from d.t order by id",
      )
      await expect(failing.toCsv(join(folder, 'out.csv'))).rejects.toThrow('late')
    },
  ],
]

it.each(stops)('%s frees a DuckDB file at once', async (_what, stop) => {
  await stop(target.dataset())
  expect(await asAnotherProcess()).toBe('free')
  await stop(attach('shop', { readOnly: { timeoutMs: 10_000 } }).dataset())
  expect(await asAnotherProcess()).toBe('free')
})

it('an iterator that is dropped frees the file when it is collected', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  await (async () => void (await target.dataset().table('t').rows().next()))()
  expect(await asAnotherProcess()).toMatch(/lock/)
  await expect
    .poll(
      () => {
        collect()
        return asAnotherProcess()
      },
      { timeout: 20_000 },
    )
    .toBe('free')
})

it('a run that waits for a reader names it, and goes on when the reader stops', async () => {
  const reading = `
    const { DuckDBInstance } = await import('@duckdb/node-api')
    const instance = await DuckDBInstance.create(process.argv[1], { access_mode: 'READ_ONLY' })
    console.log('open')
    process.stdin.on('end', () => process.exit()).resume()`
  const reader = spawn(process.execPath, ['--input-type=module', '-e', reading, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(reader.stdout, 'data')
  const holders: string[] = []
  const off = target.on((event) => {
    if (event.type !== 'destination-wait') return
    holders.push(event.holder)
    reader.stdin.end()
  })
  await target.run([{ id: -1 }], { tableName: 'u' })
  off()
  expect(holders).toEqual([expect.stringMatching(new RegExp(`^process ${reader.pid} \\(.*node`))])
})

it('a writer waits for a reader of its own process, whose end would end its lock', async () => {
  const reading = attach('shop', { readOnly: { timeoutMs: 10_000 } })
    .dataset()
    .table('t')
    .rows()
  await reading.next()
  const holders: string[] = []
  const opening = openDuckdb(path, {}, (holder) => holders.push(holder))
  await expect.poll(() => holders).toEqual(['a reader in this process'])
  await reading.return(undefined)
  const connection = await opening
  expect(await asAnotherProcess()).toMatch(/lock/)
  await connection.close()
  expect(await asAnotherProcess()).toBe('free')
})
