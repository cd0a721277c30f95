import { chmodSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, vi } from 'vitest'
import { duckdbParts } from '../../src/destinations/duckdb/duckdb.ts'
import { postgres } from '../../src/destinations/postgres/postgres.ts'
import {
  incremental,
  pipeline,
  resource,
  type Pipeline,
  type PipelineError,
  type ResourceOptions,
} from '../../src/index.ts'
import { onServer } from '../crash/faults.ts'
import { emptyTarget, engineNames } from '../support/destinations.ts'
import { badInput } from './inputs.ts'
import { running } from '../support/running.ts'
import { tiered } from '../support/effort.ts'

type Row = Record<string, unknown>

const refusalOf = (run: Promise<unknown>): Promise<PipelineError> =>
  run.then(
    () => expect.fail('it was not refused'),
    (error: unknown) => error as PipelineError,
  )

async function rowsOf(target: Pipeline, columns: string[], table = 't'): Promise<Row[]> {
  const rows = (await target.dataset().table(table).toArray()) as Row[]
  const picked = rows.map((row) => Object.fromEntries(columns.map((name) => [name, row[name]])))
  return picked.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

for (const [engine, options] of tiered(engineNames, 1, 1, 1)) {
  describe(engine, options, () => {
    badInput(35, async () => {
      const ids = async (target: Pipeline): Promise<unknown[]> => (await rowsOf(target, ['id'])).map(({ id }) => id)
      const load = (target: Pipeline, pages: Row[][], options: Parameters<typeof incremental>[1] = {}) =>
        target.run(resource('t', pages, { incremental: incremental('at', options) }))
      // Equal over the edge of a page and of a run.
      const { target: equal } = await emptyTarget(engine)
      await load(equal, [
        [
          { id: 1, at: 1 },
          { id: 2, at: 2 },
        ],
        [{ id: 3, at: 2 }],
      ])
      await load(equal, [
        [
          { id: 2, at: 2 },
          { id: 3, at: 2 },
          { id: 4, at: 2 },
          { id: 5, at: 3 },
        ],
      ])
      expect(await ids(equal)).toEqual([1, 2, 3, 4, 5])
      // Going back, within a run and in the next one.
      const { target: back } = await emptyTarget(engine)
      await load(back, [
        [
          { id: 1, at: 5 },
          { id: 2, at: 3 },
        ],
        [
          { id: 3, at: 9 },
          { id: 4, at: 1 },
        ],
      ])
      await load(back, [
        [
          { id: 5, at: 2 },
          { id: 6, at: 10 },
        ],
      ])
      expect(await ids(back)).toEqual([1, 2, 3, 4, 6])
      // Zero, which is a value (0 and '' are no cursors to some).
      const { target: zero } = await emptyTarget(engine)
      await load(zero, [[{ id: 1, at: 0 }]])
      await load(zero, [
        [
          { id: 1, at: 0 },
          { id: 2, at: 1 },
        ],
      ])
      expect(await ids(zero)).toEqual([1, 2])
      for (const missing of [{ id: 2, at: null }, { id: 2 }]) {
        const { target } = await emptyTarget(engine)
        const error = await refusalOf(load(target, [[{ id: 1, at: 1 }, missing]]))
        expect(error).toMatchObject({ code: 'CURSOR_MISSING', message: expect.stringContaining('"at"') })
        expect([...(await target.dataset().tables()).keys()]).toEqual([])
        await load(target, [[{ id: 1, at: 1 }, missing]], { onCursorValueMissing: 'include' })
        expect(await ids(target)).toEqual([1, 2])
      }
      const { target: mixed } = await emptyTarget(engine)
      const error = await refusalOf(
        load(mixed, [
          [
            { id: 1, at: 1 },
            { id: 2, at: 'x' },
          ],
        ]),
      )
      expect(error).toMatchObject({
        code: 'CURSOR_MISSING',
        message: expect.stringContaining('string "x" and number 1'),
      })
    })

    badInput(36, async () => {
      const merge: ResourceOptions = { writeDisposition: 'merge', primaryKey: 'id' }
      const load = (target: Pipeline, rows: Row[], options: ResourceOptions = merge) =>
        target.run(rows, { tableName: 't', ...options } as never)
      const { target: without } = await emptyTarget(engine)
      const error = await refusalOf(load(without, [{ id: 1 }, { id: null, name: 'who' }]))
      expect(error).toMatchObject({ code: 'NULL_NOT_ALLOWED' })
      expect(error.message).toContain('who')
      const { target: twice } = await emptyTarget(engine)
      await load(twice, [
        { id: 1, v: 1 },
        { id: 2, v: 2 },
        { id: 1, v: 3 },
      ])
      expect(await rowsOf(twice, ['id', 'v'])).toEqual([
        { id: 1, v: 3 },
        { id: 2, v: 2 },
      ])
      const { target: strict } = await emptyTarget(engine)
      const upsert: ResourceOptions = { ...merge, writeDisposition: { disposition: 'merge', strategy: 'upsert' } }
      expect((await refusalOf(load(strict, [{ id: 1 }, { id: 1 }], upsert))).message).toContain('have the key id = 1')
      const { target: composite } = await emptyTarget(engine)
      const both: ResourceOptions = { ...merge, primaryKey: ['a', 'b'] }
      await load(
        composite,
        [
          { a: 'doc-7', b: '12', v: 1 },
          { a: 'doc-71', b: '2', v: 2 },
        ],
        both,
      )
      await load(composite, [{ a: 'doc-71', b: '2', v: 3 }], both)
      expect(await rowsOf(composite, ['a', 'b', 'v'])).toEqual([
        { a: 'doc-7', b: '12', v: 1 },
        { a: 'doc-71', b: '2', v: 3 },
      ])
      const { target: changing } = await emptyTarget(engine)
      await load(changing, [{ id: 1, v: 1 }])
      const outcome = await load(changing, [{ id: 'one', v: 2 }]).catch((reason: unknown) => reason as PipelineError)
      if (outcome instanceof Error) expect((outcome as PipelineError).message).toContain('"id"')
      expect((await rowsOf(changing, ['id', 'v'])).filter(({ id }) => id === 1)).toEqual([{ id: 1, v: 1 }])
    })

    badInput(37, async () => {
      const { target } = await emptyTarget(engine)
      const load = (rows: Row[]) =>
        target.run(rows, { tableName: 't', writeDisposition: { disposition: 'merge', strategy: 'scd2' } })
      await load([
        { id: 1, l: [1] },
        { id: 2, l: [] },
        { id: 2, l: [] },
      ])
      await load([{ id: 2, l: [] }])
      await load([
        { id: 1, l: [1] },
        { id: 2, l: [] },
      ])
      const rows = (await target.dataset().table('t').toArray()) as Row[]
      const seen = rows.map((row) => [Number(row.id), row._dlt_valid_to === null]).sort()
      expect(seen).toEqual([
        [1, false],
        [1, true],
        [2, true],
      ])
    })

    badInput(38, async () => {
      const { target } = await emptyTarget(engine)
      const replace = (rows: Row[], allowEmpty = false) =>
        target.run(resource('t', [rows], { writeDisposition: 'replace', allowEmpty }))
      await replace([{ id: 1, l: [{ n: 1 }] }])
      await expect(replace([])).rejects.toMatchObject({ code: 'NOTHING_CAME' })
      expect(await target.dataset().table('t__l').count()).toBe(1)
      await replace([], true)
      expect(await target.dataset().table('t').count()).toBe(0)
      expect(await target.dataset().table('t__l').count()).toBe(0)
      await replace([{ id: 2, l: [{ n: 2 }] }])
      expect(await rowsOf(target, ['n'], 't__l')).toEqual([{ n: 2 }])
    })

    badInput(
      39,
      async () => {
        const names = [
          '../../x',
          'con',
          'a/b',
          '.',
          '..',
          'x'.repeat(300),
          '😀',
          'nul.txt',
          'x.',
          '$(id)',
          "a'b",
          '\u0000',
          '',
        ]
        const { target, destination } = await emptyTarget(engine)
        for (const name of names) {
          const run = target.run([{ id: 1, [name]: [{ n: 1 }] }], { tableName: name })
          const error = await run.then(
            () => undefined,
            (reason: PipelineError) => reason,
          )
          if (error !== undefined) expect(error, name).toMatchObject({ code: 'WRONG_USE' })
        }
        const tables = [...(await target.dataset().tables()).keys()]
        expect(tables.length).toBeGreaterThan(8)
        for (const table of tables) expect(table).toMatch(/^[a-z0-9_]{1,63}$/)
        for (const name of names) {
          const made = Promise.resolve().then(() =>
            pipeline({ name, dataset: name, destination }).run([{ id: 1 }], { tableName: 't' }),
          )
          const error = await made.then(
            () => undefined,
            (reason: PipelineError) => reason,
          )
          if (error !== undefined)
            expect(error, name).toMatchObject({ code: 'WRONG_USE', fix: expect.stringContaining('letters') })
          else expect(name).toMatch(/^(con|nul\.txt)$/)
        }
        const beside = join(process.env.SLUICE_DATA_DIR!, '..')
        expect(readdirSync(beside).filter((name) => !/^(data|lake|test\.duckdb.*)$/.test(name))).toEqual([])
        expect(readdirSync(join(beside, 'data', 'pipelines')).sort()).toEqual(['con', 'nul.txt', 'test'])
      },
      120_000,
    )

    badInput(
      45,
      async () => {
        // Two runs of one pipeline at once, on one machine.
        const { target, dataset, destination } = await emptyTarget(engine)
        let release!: () => void
        const held = new Promise<void>((resolve) => (release = resolve))
        const slow = resource('t', async function* () {
          yield [{ id: 1 }]
          await held
        })
        const first = target.run(slow)
        await new Promise((resolve) => setTimeout(resolve, 200))
        const busy = await refusalOf(
          pipeline({ name: 'test', dataset, destination }).run([{ id: 2 }], { tableName: 't' }),
        )
        expect(busy).toMatchObject({ code: 'PIPELINE_BUSY', recovery: 'retry' })
        release()
        await first
        expect(await rowsOf(target, ['id'])).toEqual([{ id: 1 }])

        // A table dropped by hand, and one changed by hand.
        if (engine !== 'filesystem') {
          await byHand(engine, target, `drop table ${dataset}.t`)
          await target.run([{ id: 3 }], { tableName: 't' })
          expect(await rowsOf(target, ['id'])).toEqual([{ id: 3 }])
          await byHand(engine, target, `alter table ${dataset}.t drop column id`)
          await target.run([{ id: 4 }], { tableName: 't' })
          expect((await rowsOf(target, ['id'])).map(({ id }) => id).sort()).toEqual([4, null])
        }

        // The clock goes back an hour between two packages of a run that then breaks off, and between runs.
        vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
        try {
          const { target: clocked } = await emptyTarget(engine)
          const count = async (): Promise<unknown[]> => (await rowsOf(clocked, ['id'])).map(({ id }) => id)
          const upTo = (last: number) =>
            resource(
              't',
              ({ cursor }) =>
                Array.from({ length: last }, (_, at) => ({ id: at + 1 }))
                  .filter(({ id }) => id > Number(cursor!.startValue ?? 0))
                  .map((row) => [row]),
              {
                incremental: incremental('id', { rowOrder: 'asc' }),
              },
            )
          await clocked.run(upTo(2))
          vi.setSystemTime(Date.now() - 3_600_000)
          await clocked.run(upTo(4))
          vi.setSystemTime(Date.now() - 3_600_000)
          await clocked.run(upTo(6))
          expect(await count()).toEqual([1, 2, 3, 4, 5, 6])
          expect((await clocked.run(upTo(6))).rows).toEqual({})
        } finally {
          vi.useRealTimers()
        }

        // A folder that cannot be written. Root writes everywhere, but not into a file.
        const folder = mkdtempSync(join(tmpdir(), 'sluice-readonly-'))
        writeFileSync(join(folder, 'file'), '')
        mkdirSync(join(folder, 'data'))
        chmodSync(join(folder, 'data'), 0o500)
        process.env.SLUICE_DATA_DIR = join(folder, process.getuid?.() === 0 ? 'file/data' : 'data')
        const nowhere = await refusalOf(
          pipeline({ name: 'test', dataset, destination }).run([{ id: 1 }], { tableName: 't' }),
        )
        expect(nowhere).toMatchObject({ code: 'DISK_REFUSED' })
      },
      120_000,
    )
  })
}

/** What somebody does who opens the database beside. */
async function byHand(engine: string, target: Pipeline, sql: string): Promise<void> {
  if (engine === 'postgres') return void (await onServer(await running('postgres'), (client) => client.query(sql)))
  const parts = duckdbParts({ path: target.lastTarget!.location.replace(/^duckdb:/, '') })
  const { connection } = await parts.connect({ pipeline: 'hand', dataset: 'hand' })
  try {
    await connection.run(sql)
  } finally {
    await connection.close()
  }
}

describe('postgres', () => {
  badInput(41, async () => {
    const url = await running('postgres')
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-dsn-'))
    const target = (given: string) =>
      pipeline({ name: 'dsn', dataset: `dsn_${process.pid}`, destination: postgres({ url: given }) })
    const password = /^postgres:\/\/[^:]+:(.*)@[^@]+$/.exec(url)![1]!
    if (process.env.SLUICE_TEST_POSTGRES_URL === undefined) expect(password).toBe('p@ss:w/rd#%')
    await target(url).run([{ id: 1 }], { tableName: 't' })
    await target(url.replace(password, encodeURIComponent(password))).run([{ id: 2 }], { tableName: 't' })
    expect(await rowsOf(target(url), ['id'])).toEqual([{ id: 1 }, { id: 2 }])
    const error = await refusalOf(target(url.replace(password, 'wr@ng:p/ss#%')).run([{ id: 3 }], { tableName: 't' }))
    expect(error.message).not.toContain('wr@ng')
  })
})
