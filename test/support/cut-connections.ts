import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { SqlConnection } from '../../src/destinations/destination.ts'
import { sqlDestination, type SqlDestinationParts } from '../../src/destinations/sql/sql-destination.ts'
import { pipeline, type Destination } from '../../src/index.ts'
import { someOf } from './effort.ts'

let used = 0

/** What no load sends. */
const untouched = new Set(['stream', 'close'])

/**
 * A destination whose connection breaks at its n-th statement: before it is sent, or before its answer comes. The server
 * then rolls back; where the process has died and nothing does, no statement follows at all. `sent` is what each statement
 * says, in order.
 */
export function breaking(
  given: SqlDestinationParts,
  at: number,
  when: 'before' | 'after' | 'died',
): { destination: Destination; count(): number; sent: readonly string[] } {
  let statements = 0
  const sent: string[] = []
  const guarded = (connection: SqlConnection): SqlConnection => {
    const guard = async <T>(send: () => Promise<T>): Promise<T> => {
      statements += 1
      const isCut = statements === at
      if (statements > at || (isCut && when === 'before')) throw new Error('connection lost')
      const result = await send()
      if (isCut) throw new Error('connection lost')
      return result
    }
    const own = Object.entries(connection)
      .filter(([name, part]) => typeof part === 'function' && !untouched.has(name))
      .map(([name, part]) => {
        const call = (...args: unknown[]) => (part as (...args: unknown[]) => Promise<unknown>).apply(connection, args)
        const isServers = (args: unknown[]): boolean => args[0] === 'ROLLBACK' && when !== 'died'
        const noted = (...args: unknown[]): Promise<unknown> => {
          sent.push(String(args[0]))
          return guard(() => call(...args))
        }
        return [name, (...args: unknown[]) => (isServers(args) ? call(...args) : noted(...args))]
      })
    return Object.assign(Object.create(connection) as SqlConnection, Object.fromEntries(own))
  }
  const destination = sqlDestination({
    ...given,
    async connect(target) {
      const opened = await given.connect(target)
      return { ...opened, connection: guarded(opened.connection) }
    },
  })
  return { destination, count: () => statements, sent }
}

/** Each operation of so many, before it happens and after. */
export const everyCut = (operations: number): [number, 'before' | 'after'][] =>
  (['before', 'after'] as const).flatMap((when) =>
    Array.from({ length: operations }, (_, at): [number, typeof when] => [at + 1, when]),
  )

/**
 * Cuts the connection at statements of a load, before one is sent or before it is answered; another run repairs. `cuts` of all
 * statements are drawn, all of them in a whole run.
 */
export async function endsExactlyRight(
  parts: (folder: string) => SqlDestinationParts,
  { cuts }: { cuts: number },
): Promise<void> {
  const rows = [
    { id: 1, l: [{ x: 1 }, { x: 2 }] },
    { id: 2, l: [{ x: 3 }] },
  ]
  const options = { tableName: 't', writeDisposition: 'merge', primaryKey: 'id' } as const
  const whole = await broken(Number.POSITIVE_INFINITY, 'before')
  expect(whole.statements).toBeGreaterThan(15)
  for (const [at, when] of someOf(everyCut(whole.statements), cuts)) await broken(at, when)

  async function broken(at: number, when: 'before' | 'after'): Promise<{ statements: number }> {
    used += 1
    const folder = mkdtempSync(join(tmpdir(), 'sluice-cut-'))
    process.env.SLUICE_DATA_DIR = join(folder, 'data')
    const dataset = `cut_${process.pid}_${used}`
    const given = parts(folder)
    const target = (destination: Destination) => pipeline({ name: 'cut', dataset, destination })
    await target(sqlDestination(given)).run([{ id: 1, l: [{ x: 9 }] }, { id: 3 }], options)
    const cut = breaking(given, at, when)
    const failed = await target(cut.destination)
      .run(rows, options)
      .then(
        () => false,
        () => true,
      )
    const plain = target(sqlDestination(given))
    if (failed) await plain.run(rows, options)
    const where = `statement ${at}, cut ${when}`
    await plain.withDataset(async (data) => {
      const read = async (sql: string): Promise<unknown> => data.query(sql).toArray()
      expect(await read(`select id from ${dataset}.t order by id`), where).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
      expect(await read(`select x from ${dataset}.t__l order by x`), where).toEqual([{ x: 1 }, { x: 2 }, { x: 3 }])
      expect(await read(`select count(*) - count(distinct load_id) as n from ${dataset}._dlt_loads`), where).toEqual([
        { n: 0 },
      ])
    })
    return { statements: cut.count() }
  }
}
