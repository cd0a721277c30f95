import { describe, expect, it } from 'vitest'
import { incremental, resource, source, transformer, type Resource, type WriteDisposition } from '../../src/index.ts'
import { lintSource, restSource, type RestSourceSpec } from '../../src/sources/rest/index.ts'
import { api, freshPipeline, json } from '../support/api.ts'
import { rowsOf } from '../support/rest.ts'
import { effort } from '../support/effort.ts'
import { fc } from '../support/seed.ts'

interface Parent {
  id: number
  at: number
}

/** How a parent leaves out what an earlier run has read. */
const readers: Record<string, (rows: () => Parent[]) => Resource<Parent>> = {
  all: (rows) => resource('parents', () => [rows()], { primaryKey: 'id', writeDisposition: 'merge' }),
  incremental: (rows) =>
    resource('parents', () => [rows()], {
      primaryKey: 'id',
      writeDisposition: 'merge',
      incremental: incremental('at'),
    }),
  remembering: (rows) =>
    resource('parents', () => [rows()], { primaryKey: 'id', writeDisposition: 'merge' }).remembering('at'),
}

describe('a table below a resource that reads only what is new', () => {
  it('keeps the rows of every parent, or is refused before anything is read', async () => {
    const scenario = fc.record({
      reader: fc.constantFrom(...Object.keys(readers)),
      disposition: fc.constantFrom<WriteDisposition>('append', 'replace', 'merge', {
        disposition: 'merge',
        strategy: 'scd2',
      }),
      between: fc.boolean(),
      changed: fc.subarray([1, 2, 3]),
    })
    await fc.assert(
      fc.asyncProperty(scenario, async ({ reader, disposition, between, changed }) => {
        const into = freshPipeline()
        let parents: Parent[] = [1, 2, 3].map((id) => ({ id, at: 1 }))
        let reads = 0
        const run = (): Promise<unknown> => {
          const root = readers[reader]!(() => ((reads += 1), parents))
          const middle = between
            ? transformer('middle', (page) => [page as Parent[]], {
                from: root,
                primaryKey: 'id',
                writeDisposition: 'merge',
              })
            : root
          const keyed = disposition === 'merge' ? { primaryKey: 'id' as const } : {}
          const leaf = transformer('leaf', (page) => [(page as Parent[]).map(({ id }) => ({ id, of: id }))], {
            from: middle,
            writeDisposition: disposition,
            ...keyed,
          })
          return into.run(source('s', [root, ...(between ? [middle] : []), leaf]))
        }
        const outcome = await run().catch((error: { code: string }) => error.code)
        const isPartial = reader !== 'all' && (disposition === 'replace' || typeof disposition === 'object')
        if (isPartial) {
          expect([outcome, reads]).toEqual(['SOURCE_INVALID', 0])
          return
        }
        parents = parents.map((one) => ({ ...one, at: changed.includes(one.id) ? 2 : 1 }))
        await run()
        const ids = (await rowsOf(into, 'leaf')).map((row) => row.id)
        expect([...new Set(ids)]).toEqual([1, 2, 3])
      }),
      { numRuns: effort(7, 100) },
    )
  })

  const spec = (child: object, parent: object = {}): RestSourceSpec =>
    ({
      name: 's',
      client: { baseUrl: 'http://127.0.0.1:1' },
      resources: [
        {
          name: 'invoices',
          primaryKey: 'id',
          writeDisposition: 'merge',
          endpoint: { paginator: 'single_page', incremental: { cursorPath: 'updated_at', startParam: 'since' } },
          ...parent,
        },
        {
          name: 'payments',
          includeFromParent: ['id'],
          endpoint: {
            path: 'invoices/{resources.invoices.id}/payments',
            paginator: 'single_page',
            dataSelector: 'data',
          },
          ...child,
        },
      ],
    }) as RestSourceSpec

  it('is an error of lint, except where all rows of the parent are read again', () => {
    const errors = (given: RestSourceSpec) => lintSource(given).filter(({ level }) => level === 'error')
    expect(errors(spec({ writeDisposition: 'replace' }))).toMatchObject([
      { message: expect.stringContaining('"payments"') },
    ])
    expect(errors(spec({ writeDisposition: { disposition: 'merge', strategy: 'scd2' } }))).toHaveLength(1)
    expect(errors(spec({ writeDisposition: 'merge', mergeKey: '_invoices_id' }))).toEqual([])
    expect(errors(spec({ writeDisposition: 'replace' }, { writeDisposition: 'replace' }))).toEqual([])
    expect(errors(spec({ writeDisposition: 'replace' }, { endpoint: { paginator: 'single_page' } }))).toEqual([])
  })

  it('holds what each parent has now when it is merged by the key of the parent', async () => {
    let payments: Record<string, number[]> = { 1: [10, 11], 2: [20, 21] }
    let changed = [
      { id: 1, updated_at: 1 },
      { id: 2, updated_at: 1 },
    ]
    const target = await api((_request, response, url) => {
      const [, , id] = url.pathname.split('/')
      if (id !== undefined) return json(response, { data: payments[id]!.map((amount) => ({ amount })) })
      json(response, changed)
    })
    const into = freshPipeline()
    const child = { writeDisposition: 'merge', mergeKey: '_invoices_id' }
    const run = () => into.run(restSource({ ...spec(child), client: { baseUrl: target.baseUrl } }))
    await run()
    payments = { 1: [10, 11], 2: [22] }
    changed = [{ id: 2, updated_at: 2 }]
    await run()
    const amounts = (await rowsOf(into, 'payments')).map((row) => row.amount)
    expect(amounts.toSorted()).toEqual([10, 11, 22])
  })
})
