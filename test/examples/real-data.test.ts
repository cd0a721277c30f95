/** @module-tag slow */
import { beforeAll, expect, it } from 'vitest'
import type { LoadInfo, Pipeline } from '../../src/index.ts'
import { loadRealData } from '../../examples/real-data/load.ts'
import { emoji, features, movies } from '../../examples/real-data/server.ts'
import { expectedTables } from '../platforms/expected-tables.ts'
import { freshPipeline } from '../support/api.ts'

type Row = Record<string, unknown>

let loading: Pipeline
let info: LoadInfo
beforeAll(async () => {
  loading = freshPipeline('real_data')
  info = await loadRealData(loading)
}, 120_000)

/** A value wherever it went: its column, or a variant of it. Numbers and text are compared by what they say. */
function placed(row: Row, column: string): unknown {
  const variants = Object.keys(row).filter((name) => name.startsWith(`${column}__v_`))
  return [column, ...variants].map((name) => row[name] ?? null).find((value) => value !== null)
}

const said = (value: unknown): string => {
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  const text = String(value)
  if (/^(True|False)$/.test(text)) return text.toLowerCase()
  return /^\d{4}-\d\d-\d\d[T ]\d\d/.test(text) ? new Date(text).toISOString() : text
}

async function expectTables(table: string, rows: Row[], order: string): Promise<void> {
  const tables = [...(await loading.dataset().tables()).keys()]
  const known = expectedTables(table, rows)
  for (const [name, expected] of known) {
    // Lists of one name below two tables: the second has a tag, as each table has one parent.
    const parts = tables.filter(
      (one) => one === name || (!known.has(one) && new RegExp(`^${name}_[a-z0-9]{6}$`).test(one)),
    )
    const loaded = (await Promise.all(parts.map((one) => loading.dataset().table<Row>(one).toArray()))).flat()
    expect(loaded.length, name).toBe(expected.length)
    expect(
      parts.reduce((sum, one) => sum + info.rows[one]!, 0),
      name,
    ).toBe(expected.length)
    if (name !== table) continue
    const byKey = (list: Row[]): Row[] => list.toSorted((a, b) => (said(a[order]) < said(b[order]) ? -1 : 1))
    const sorted = byKey(loaded)
    for (const [at, row] of byKey(expected).entries()) {
      for (const [column, value] of Object.entries(row)) {
        expect(said(placed(sorted[at]!, column)), `${name}.${column} of ${said(row[order])}`).toBe(said(value))
      }
    }
  }
}

it('movies.json, famously messy', async () => {
  // Titles are not unique, so each row gets its place as a key.
  const rows = movies()
  const loaded = await loading.dataset().table<Row>('movies').toArray()
  expect(loaded.length).toBe(rows.length)
  const key = (row: Row): string =>
    JSON.stringify(Object.values(row).map((value) => (value === null ? '' : said(value))))
  const expected = expectedTables('movies', rows).get('movies')!
  const columns = [...new Set(expected.flatMap((row) => Object.keys(row)))]
  const pick = (row: Row): Row => Object.fromEntries(columns.map((column) => [column, placed(row, column) ?? null]))
  expect(loaded.map((row) => key(pick(row))).sort()).toEqual(expected.map((row) => key(pick(row))).sort())
})

it('emoji-datasource, with its lists and skin tones', () => expectTables('emoji', emoji(), 'unified'))

it('browser-compat-data, 20 MB with odd keys and changing types', () => expectTables('features', features(), 'path'))
