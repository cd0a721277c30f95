import { describe, expect, it } from 'vitest'
import { parseJson, PipelineError, type Pipeline } from '../../src/index.ts'
import { restSource, type EndpointSpec } from '../../src/sources/rest/index.ts'
import { namingConvention, namingNames } from '../../src/schema/naming.ts'
import { api, freshPipeline, json, tableNames } from '../support/api.ts'
import { emptyTarget, engineNames } from '../support/destinations.ts'
import { fc } from '../support/seed.ts'
import { effort, tiered } from '../support/effort.ts'

type Doc = Record<string, unknown>
type Row = Record<string, unknown>

const scalar = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
  { weight: 3, arbitrary: fc.integer() },
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('2024-02-30T00:00:00Z', '00123', 'true', '-0', '1e400', '12:61'),
)
/** Under one key: a scalar, a flat object or a list of scalars, whatever comes. */
const anything = fc.oneof(
  scalar,
  fc.dictionary(fc.constantFrom('s1', 's2'), scalar),
  fc.array(scalar, { maxLength: 3 }),
)
/**
 * Documents of so many levels. The first letter of a key says what it holds, and names stay short enough to be whole, so that
 * those of columns and tables can be read backwards.
 */
function docOf(levels: number): fc.Arbitrary<Doc> {
  const leaves = {
    s1: scalar,
    s2: scalar,
    x1: anything,
    l1: fc.array(scalar, { maxLength: 3 }) as fc.Arbitrary<unknown>,
  }
  if (levels === 0) return fc.record(leaves, { requiredKeys: [] }) as fc.Arbitrary<Doc>
  const below = docOf(levels - 1)
  const rows = fc.array(below, { maxLength: 3 })
  return fc.record(
    { ...leaves, o1: below, l1: fc.oneof(leaves.l1, rows), l2: rows },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Doc>
}

/** A scalar as text: where a column is text already, numbers and booleans become text, as in dlt. */
function asText(value: unknown): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  if (/^(true|false)$/i.test(text)) return text.toLowerCase()
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? String(Number(text)) : text
}

/** A document as it can be told from tables: without nulls, empty objects and empty lists. */
function plain(value: unknown): unknown {
  if (value === null || value === undefined) return undefined
  if (typeof value !== 'object') return asText(value)
  if (Array.isArray(value)) {
    if (value.length === 0) return undefined
    return value.map((one) =>
      typeof one === 'object' && one !== null ? (plain(one) ?? {}) : withoutNothing({ value: plain(one) }),
    )
  }
  return emptyAsNothing(
    withoutNothing(Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))),
  )
}

const withoutNothing = (doc: Doc): Doc =>
  Object.fromEntries(
    Object.entries(doc)
      .filter(([, one]) => one !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
const emptyAsNothing = (doc: Doc): Doc | undefined => (Object.keys(doc).length === 0 ? undefined : doc)

/** The documents that stand in a table and in those below it. */
async function readBack(target: Pipeline): Promise<unknown[]> {
  return target.withDataset(async (data) => {
    const tables = [...(await data.tables()).keys()]
    const rows = new Map<string, Row[]>()
    for (const name of tables) rows.set(name, (await data.table(name).toArray()) as Row[])
    const build = (table: string, row: Row): Doc => {
      const out: Doc = {}
      for (const [name, value] of Object.entries(row)) {
        if (name.startsWith('_dlt_') || value === null) continue
        // A variant holds what its column could not.
        put(out, name.replace(/__v_[a-z]+$/, '').split('__'), value)
      }
      for (const child of tables) {
        if (!child.startsWith(`${table}__`)) continue
        const path = child.slice(table.length + 2).split('__')
        if (path.slice(0, -1).some((part) => part.startsWith('l'))) continue
        const own = rows.get(child)!.filter((one) => one._dlt_parent_id === row._dlt_id)
        own.sort((a, b) => Number(a._dlt_list_idx) - Number(b._dlt_list_idx))
        if (own.length > 0)
          put(
            out,
            path,
            own.map((one) => build(child, one)),
          )
      }
      return out
    }
    return (rows.get('t') ?? []).map((row) => build('t', row))
  })
}

function put(into: Doc, path: readonly string[], value: unknown): void {
  let at = into
  for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as Doc
  at[path.at(-1)!] = value
}

const runs: Record<string, number> = { duckdb: effort(3, 60), postgres: effort(3, 40), filesystem: effort(1, 10) }
/** What is not tried by then is tried by the next run, with another seed. */
const limit = { interruptAfterTimeLimit: 90_000 }

for (const [engine, options] of tiered(engineNames, 1, 2, 1)) {
  describe(engine, options, () => {
    // A file for each table of each load: three levels are hundreds.
    const doc = docOf(engine === 'filesystem' ? effort(2, 3) : 3)

    it('any documents, in any batches, come back as they were', { timeout: 240_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(doc, { maxLength: 4 }), { minLength: 1, maxLength: 3 }), async (batches) => {
          const { target } = await emptyTarget(engine)
          const given: unknown[] = []
          for (const batch of batches) {
            const numbered = batch.map((one, at) => ({ id: given.length + at, ...one }))
            given.push(...numbered)
            // As text, through our own parser, as from an API.
            await target.run(parseJson(JSON.stringify(numbered)) as Doc[], { tableName: 't' })
          }
          const expected = given.map((one) => JSON.stringify(plain(one)))
          const seen = (await readBack(target)).map((one) => JSON.stringify(plain(one)))
          const stored = engine === 'postgres' ? expected.map((text) => text.replaceAll('\\u0000', '\ufffd')) : expected
          expect(seen.sort()).toEqual(stored.sort())
        }),
        { numRuns: runs[engine] ?? 10, ...limit },
      )
    })

    it('text that is nearly a moment or a number is loaded', async () => {
      const seeds = [
        '2024-02-29T23:59:59.123456Z',
        '2024-12-31 24:00:00',
        '0001-01-01T00:00:00+14:00',
        '9999-12-31T23:59:59-12:00',
        '1e308',
        '-1.7976931348623157e308',
        '123456789012345678901234567890.123456789',
        '12:34:56.789',
        '2024-01-01',
      ]
      const mutated = fc
        .tuple(
          fc.constantFrom(...seeds),
          fc.array(fc.tuple(fc.nat(30), fc.constantFrom(...'0123456789-+:.TZ eE,')), { maxLength: 3 }),
        )
        .map(([seed, changes]) => {
          const letters = [...seed]
          for (const [at, letter] of changes) letters[at % letters.length] = letter
          return letters.join('')
        })
      await fc.assert(
        fc.asyncProperty(fc.array(mutated, { minLength: 1, maxLength: 60 }), async (texts) => {
          const { target } = await emptyTarget(engine)
          await target.run(
            texts.map((v, id) => ({ id, v })),
            { tableName: 't' },
          )
          const rows = (await target.dataset().table('t').toArray()) as Row[]
          expect(rows).toHaveLength(texts.length)
          for (const row of rows) {
            const text = texts[Number(row.id)]!
            const [value] = Object.entries(row).filter(([name, one]) => name.startsWith('v') && one !== null)
            const seen = value![1]
            // A moment, or the text as it came.
            if (seen instanceof Date || (/^v(__v_timestamp)?$/.test(value![0]) && seen !== text)) {
              expect(Number.isNaN(new Date(seen as string).getTime()), text).toBe(false)
              expect(text).toMatch(/^\d{4}-\d\d-\d\d([T ]\d\d:\d\d|$)/)
            } else expect(seen).toBe(text)
          }
        }),
        { numRuns: runs[engine] ?? 10, ...limit },
      )
    })

    it('any keys are kept apart', async () => {
      const key = fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 90 }),
        fc.string({ unit: fc.constantFrom(...'aAbB_. -1é'), maxLength: 6 }),
      )
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(key, { minLength: 1, maxLength: 30 }), async (keys) => {
          const own = keys.filter((one) => !/^_?_?dlt_?/i.test(one))
          fc.pre(own.length > 0)
          const { target } = await emptyTarget(engine)
          const row: Doc = Object.fromEntries(own.map((one, at) => [one, `value ${at}`]))
          await target.run([row], { tableName: 't' })
          const [stored] = (await target.dataset().table('t').toArray()) as Row[]
          const seen = Object.values(stored!).filter((one) => String(one).startsWith('value '))
          expect(new Set(seen)).toEqual(new Set(own.map((_, at) => `value ${at}`)))
        }),
        { numRuns: runs[engine] ?? 10, ...limit },
      )
    })
  })
}

it.each(namingNames)('names by %s: a name stays what it is, and is never too long', (name) => {
  for (const maxLength of [20, 63, 255]) {
    const naming = namingConvention(name, maxLength)
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const once = naming.path(text)
        expect(Buffer.byteLength(once)).toBeLessThanOrEqual(maxLength)
        // The rules of SQL make one underscore of several, which may have stood between two names.
        if (!name.startsWith('sql_')) expect([naming.path(once), once === '']).toEqual([once, false])
      }),
      { numRuns: effort(300, 3000) },
    )
  }
})

describe('an API that does what it likes', () => {
  const faults = ['500', '503', '429', '429 now', 'reset', 'cut', 'garbage', 'html', 'slow', 'empty'] as const
  const pagings: Record<string, EndpointSpec['paginator']> = {
    link: { type: 'json_link', nextUrlPath: 'next' },
    header: 'header_link',
    page: { type: 'page_number', basePage: 1, totalPath: null },
    total: { type: 'page_number', basePage: 1, totalPath: 'pages' },
    offset: { type: 'offset', limit: 3, totalPath: 'count' },
    cursor: { type: 'cursor', cursorPath: 'cursor', cursorParam: 'after' },
  }

  it('is loaded whole, or refused by name with nothing half-loaded', { timeout: 240_000 }, async () => {
    const behaviour = fc.record({
      paging: fc.constantFrom(...Object.keys(pagings)),
      sizes: fc.array(fc.constantFrom(3, 3, 3, 2, 0), { minLength: 1, maxLength: 6 }),
      faults: fc.array(fc.option(fc.constantFrom(...faults), { freq: 2 }), { maxLength: 25 }),
    })
    await fc.assert(
      fc.asyncProperty(behaviour, async ({ paging, sizes, faults: planned }) => {
        // By offset and by number, a page that is not full, or empty, ends the reading: those have full ones.
        const pages = (/^(offset|page|total)$/.test(paging) ? sizes.map(() => 3) : sizes).map((size, at) =>
          Array.from({ length: size }, (_, row) => ({ id: at * 3 + row })),
        )
        const all = pages.flat()
        const left = [...planned]
        const target = await api((request, response, url) => {
          const at = Number(url.searchParams.get('after') ?? Number(url.searchParams.get('page') ?? 1) - 1)
          const number = paging === 'offset' ? Number(url.searchParams.get('offset')) / 3 : at
          const next = number + 1 < pages.length ? number + 1 : undefined
          const body = JSON.stringify({
            data: pages[number] ?? [],
            pages: pages.length,
            count: all.length,
            next: next === undefined ? null : `/t?after=${next}`,
            cursor: next ?? null,
          })
          const link: Record<string, string> = next === undefined ? {} : { link: `</t?after=${next}>; rel="next"` }
          switch (left.shift()) {
            case '500':
              return json(response, 'oops', 500)
            case '503':
              return json(response, '', 503, { 'retry-after': '0' })
            case '429':
              return json(response, '', 429, { 'retry-after': '-5' })
            case '429 now':
              return json(response, '', 429, { 'retry-after': new Date(0).toUTCString() })
            case 'reset':
              return void request.socket.destroy()
            case 'cut':
              response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(body.length + 9) })
              return void response.write(body, () => request.socket.destroy())
            case 'garbage':
              return json(response, body.slice(0, -1))
            case 'html':
              return json(response, '<html>busy</html>', 200, { 'content-type': 'text/html' })
            case 'slow':
              return void setTimeout(() => json(response, body, 200, link), 30)
            case 'empty':
              return json(response, '', 502)
            default:
              return json(response, body, 200, link)
          }
        })
        const into = freshPipeline()
        const source = restSource({
          name: 's',
          client: { baseUrl: target.baseUrl, maxAttempts: 4, backoffMs: 1, timeoutMs: 2000 },
          resources: [{ name: 't', endpoint: { path: 't', dataSelector: 'data', paginator: pagings[paging]! } }],
        })
        try {
          await into.run(source)
        } catch (error) {
          expect(error).toBeInstanceOf(PipelineError)
          expect((error as PipelineError).code).toMatch(/^HTTP_/)
          expect(await tableNames(into)).toEqual([])
          // Only where it went wrong as often as may be tried.
          expect(planned.filter((one) => one !== null && one !== 'slow').length).toBeGreaterThanOrEqual(4)
          return
        }
        const rows = all.length === 0 ? [] : ((await into.dataset().table('t').toArray()) as Row[])
        expect(rows.map(({ id }) => Number(id)).sort((a, b) => a - b)).toEqual(all.map(({ id }) => id))
      }),
      { numRuns: effort(8, 200) },
    )
  })
})
