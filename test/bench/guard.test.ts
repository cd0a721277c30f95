/** @module-tag slow */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { pages, type Shape } from '../../bench/data.ts'
import { parseJson } from '../../src/extract/index.ts'
import { Normalizer } from '../../src/normalize/index.ts'
import { emptySchema, namingConvention } from '../../src/schema/index.ts'

/**
 * Sees a change that makes the path of every record slower: processor time of the whole walk, from text to files, over
 * that of `JSON.parse` on the same pages, taken in turns in this process. Ratios, so any machine will do. Under the test
 * runner they were 5.0 and 4.2, idle or busy within a twentieth; the limits leave half as much more,
 * and only a limit that five rounds break is broken.
 */
const limits: Partial<Record<Shape, number>> = { flat: 7.5, nested: 6.3 }
const rows = 20_000
const folder = mkdtempSync(join(tmpdir(), 'sluice-guard-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The least processor time of several tries: what else runs on the machine only adds. */
function leastOf(tries: number, works: Record<string, () => void>): Record<string, number> {
  const least: Record<string, number> = {}
  for (let at = 0; at < tries; at++) {
    for (const [name, work] of Object.entries(works)) {
      const begun = process.cpuUsage()
      work()
      const { user, system } = process.cpuUsage(begun)
      least[name] = Math.min(least[name] ?? Infinity, user + system)
    }
  }
  return least
}

let files = 0
function walk(table: string, given: readonly unknown[][]): void {
  const target = join(folder, String(++files))
  mkdirSync(target)
  let count = 0
  const normalizer = new Normalizer(
    emptySchema('guard'),
    namingConvention('snake_case', 200),
    () => join(target, `${++count}.csv`),
    () => undefined,
  )
  const hints = { writeDisposition: 'append' as const }
  for (const page of given) normalizer.write({ table, resource: table, hints }, page)
  normalizer.takeFiles(new Set(normalizer.schema.tables.keys()))
  rmSync(target, { recursive: true })
}

describe.each(Object.entries(limits) as [Shape, number][])('%s rows', (shape, limit) => {
  it(`cost at most ${limit} times JSON.parse on their way into files`, () => {
    const texts = pages(shape, rows, 'http://127.0.0.1').map((body) => body.toString())
    const works = {
      parse: () => texts.forEach((text) => JSON.parse(text) as unknown),
      all: () =>
        walk(
          shape,
          texts.map((text) => (parseJson(text) as { data: unknown[] }).data),
        ),
    }
    // What else runs on the machine takes memory and caches from one of the two more than from the other, for a while.
    let ratio = Infinity
    for (let round = 0; round < 5 && ratio >= limit; round++) {
      const least = leastOf(7, works)
      ratio = Math.min(ratio, least.all! / least.parse!)
    }
    expect(ratio).toBeLessThan(limit)
  })
})

describe('costs grow with the data and not with its square', () => {
  const numbered = (count: number, value: (at: number) => unknown): Record<string, unknown> =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`key_${at}`, value(at)]))

  it('5,000 columns, found one after the other', () => {
    // The same number of cells, in rows of 500 and of 5,000 columns.
    const rowsOf = (columns: number) => {
      const full = numbered(columns, (at) => at)
      const growing = Array.from({ length: 10 }, (_, at) => numbered((columns / 10) * (at + 1), (index) => index))
      return [growing, Array.from({ length: 500_000 / columns }, () => full)]
    }
    const [few, many] = [rowsOf(500), rowsOf(5000)]
    const least = leastOf(3, { few: () => walk('wide', few), many: () => walk('wide', many) })
    expect(least.many! / least.few!).toBeLessThan(4)
  })

  it('1,000 tables', () => {
    // Twenty rows each, in 250 and in 1,000 tables: four times the work.
    const rowsOf = (tables: number) => [Array.from({ length: 20 }, () => numbered(tables, () => [{ a: 1, b: 'two' }]))]
    const [few, many] = [rowsOf(250), rowsOf(1000)]
    const least = leastOf(3, { few: () => walk('many', few), many: () => walk('many', many) })
    expect(least.many! / least.few!).toBeLessThan(8)
  })
})
