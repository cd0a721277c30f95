import { describe, expect, it } from 'vitest'
import { resource, source, type Pipeline } from '../../src/index.ts'
import { emptyTarget, engineNames, mergingTarget } from '../support/destinations.ts'
import { api, json } from '../support/api.ts'
import { effort, tiered } from '../support/effort.ts'
import { load } from '../support/rest.ts'
import { fc } from '../support/seed.ts'

interface Row {
  day: number
  note: string
  gone?: boolean
  items: { sku: string; parts: { name: string }[] }[]
}

const item = fc.record({
  sku: fc.constantFrom('a', 'b'),
  parts: fc.array(fc.record({ name: fc.constantFrom('x', 'y') }), { maxLength: 2 }),
})
const row: fc.Arbitrary<Row> = fc.record(
  {
    day: fc.integer({ min: 1, max: 3 }),
    note: fc.constantFrom('n', 'm'),
    gone: fc.boolean(),
    items: fc.array(item, { maxLength: 3 }),
  },
  { requiredKeys: ['day', 'note', 'items'] },
)
/** Rows of a run, some of them twice. */
const run = fc
  .array(fc.record({ row, times: fc.constantFrom(1, 1, 2, 3) }), { maxLength: 5 })
  .map((drawn) => drawn.flatMap(({ row: one, times }) => Array.from({ length: times }, () => one)))

const options = {
  writeDisposition: 'merge',
  mergeKey: 'day',
  columns: { gone: { dataType: 'bool', hardDelete: true } },
} as const

/** Each stored row with its own nested rows, found by the links between the tables. */
async function stored(target: Pipeline): Promise<string[]> {
  const data = target.dataset()
  const tables = await data.tables()
  const all = async (name: string) =>
    tables.has(name) ? await data.table<Record<string, unknown>>(name).toArray() : []
  const [roots, items, parts] = [await all('sales'), await all('sales__items'), await all('sales__items__parts')]
  const below = (rows: Record<string, unknown>[], id: unknown) =>
    rows.filter((one) => one._dlt_parent_id === id).sort((a, b) => Number(a._dlt_list_idx) - Number(b._dlt_list_idx))
  const found = roots.map(({ day, note, _dlt_id }) => ({
    day: Number(day),
    note,
    items: below(items, _dlt_id).map((one) => ({
      sku: one.sku,
      parts: below(parts, one._dlt_id).map(({ name }) => ({ name })),
    })),
  }))
  const linked = found.reduce((sum, one) => sum + one.items.length, 0)
  expect(linked, 'nested rows without a parent').toBe(items.length)
  return found.map((one) => JSON.stringify(one)).sort()
}

const seen = (rows: readonly Row[]): string[] =>
  rows.map(({ day, note, items }) => JSON.stringify({ day, note, items })).sort()

async function holds(target: Pipeline, runs: readonly (readonly Row[])[]): Promise<void> {
  let model: readonly Row[] = []
  for (const rows of runs) {
    await target.run(source('shop', [resource('sales', [...rows], options)]))
    const days = new Set(rows.map(({ day }) => day))
    model = [...model.filter(({ day }) => !days.has(day)), ...rows.filter(({ gone }) => gone !== true)]
    expect(await stored(target)).toEqual(seen(model))
  }
}

describe('rows merged by a merge key alone', () => {
  const targets = [...engineNames, 'merge'] as const
  for (const [name, { tags }] of tiered(targets, 1))
    it(`all stay, each with its own nested rows, also when one comes twice: ${name}`, { tags }, async () => {
      const runs = fc.array(run, { minLength: 1, maxLength: 3 })
      await fc.assert(
        fc.asyncProperty(runs, async (drawn) => {
          const target = name === 'merge' ? mergingTarget() : (await emptyTarget(name)).target
          await holds(target, drawn)
        }),
        { numRuns: effort(3, 40) },
      )
    })

  for (const [name, { tags }] of tiered(engineNames, 1, 1))
    it(`of a parent that comes twice in one run are there once: ${name}`, { tags }, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(visits, { minLength: 1, maxLength: 3 }), async (runs) => {
          const { target } = await emptyTarget(name)
          const model = new Map<string, string>()
          for (const drawn of runs) {
            const server = await api((_request, response, url) => {
              const [, visitor] = url.pathname.split('/chats/')
              if (visitor === undefined) return json(response, drawn)
              const { session, texts } = drawn.find((one) => one.visitor === Number(visitor))!
              json(
                response,
                texts.map((text) => ({ text, asked: session })),
              )
            })
            await load(server, shopOf(), {}, target)
            for (const { visitor, session, texts } of drawn) {
              const sorted = JSON.stringify(texts.toSorted())
              model.set(`chats ${visitor}`, sorted).set(`visits ${session}`, sorted)
            }
            const found = new Map<string, string[]>()
            for (const [table, by] of [
              ['chats', '_visits_visitor'],
              ['visits', '_visits_session'],
            ] as const) {
              const rows = (await target.dataset().tables()).has(`${table}_texts`)
                ? await target.dataset().table<Record<string, unknown>>(`${table}_texts`).toArray()
                : []
              for (const row of rows) {
                const key = `${table} ${String(row[by])}`
                found.set(key, [...(found.get(key) ?? []), String(row.text)])
              }
            }
            expect(new Map([...found].map(([key, texts]) => [key, JSON.stringify(texts.toSorted())]))).toEqual(model)
          }
        }),
        { numRuns: effort(2, 30) },
      )
    })
})

/** Visits of visitors, some of them twice; a visit names its visitor always. */
const visits = fc
  .array(fc.record({ visitor: fc.integer({ min: 1, max: 3 }), session: fc.integer({ min: 1, max: 2 }) }), {
    minLength: 1,
    maxLength: 6,
  })
  .chain((drawn) =>
    fc
      .array(fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 }), { minLength: 4, maxLength: 4 })
      .map((texts) =>
        drawn.map(({ visitor, session }) => ({ visitor, session: visitor * 10 + session, texts: texts[visitor]! })),
      ),
  )

/** The same rows, as those of the visitor and as those of each visit. */
const shopOf = () => [
  { name: 'visits', primaryKey: 'session', writeDisposition: 'merge' } as const,
  {
    name: 'chats_texts',
    endpoint: 'chats/{resources.visits.visitor}',
    includeFromParent: ['visitor'],
    writeDisposition: 'merge',
    mergeKey: '_visits_visitor',
  } as const,
  {
    name: 'visits_texts',
    endpoint: 'chats/{resources.visits.visitor}',
    includeFromParent: ['session'],
    writeDisposition: 'merge',
    mergeKey: '_visits_session',
  } as const,
]
