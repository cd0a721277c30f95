import { describe, expect, it } from 'vitest'
import type { EndpointSpec, PaginatorSpec } from '../../src/sources/rest/index.ts'
import { api, json } from '../support/api.ts'
import { tiered } from '../support/effort.ts'
import { load } from '../support/rest.ts'

const all = Array.from({ length: 11 }, (_, id) => ({ id: id + 1 }))
const size = 3

/** Rows after a position, which stands in the query, a header, the body or the path. */
const positioned = () =>
  api((request, response, url, body) => {
    const [, kind, inPath] = url.pathname.split('/')
    const sent = body === '' ? {} : (JSON.parse(body) as { paging?: { from?: number } })
    const position = inPath ?? url.searchParams.get('from') ?? request.headers['x-from'] ?? sent.paging?.from
    const from =
      kind === 'pages'
        ? (Number(position) - 1) * size
        : position === undefined || position === 'start'
          ? 0
          : Number(position)
    const rows = all.slice(from, from + size)
    const next = from + size < all.length ? from + size : null
    json(
      response,
      { data: rows, next, more: next === null ? 'no' : 'yes', total: all.length },
      200,
      next === null ? {} : { next: String(next) },
    )
  })

async function ids(endpoint: EndpointSpec): Promise<{ ids: number[]; requests: string[] }> {
  const target = await positioned()
  const { rows } = await load(target, [{ name: 'rows', endpoint: { dataSelector: 'data', ...endpoint } }])
  return { ids: (await rows('rows')).map(({ id }) => Number(id)), requests: target.requests }
}
const everyId = all.map(({ id }) => id)

describe('where paging writes its values', () => {
  const post = { method: 'POST', json: {} } as const
  const places: [where: string, path: string, paginator: PaginatorSpec, more: Partial<EndpointSpec>][] = [
    ['a cursor in the query', 'rows', { type: 'cursor', cursorPath: 'next', cursorParam: 'from' }, {}],
    ['a cursor in a header', 'rows', { type: 'cursor', cursorPath: 'next', cursorHeader: 'X-From' }, {}],
    ['a cursor in the body', 'rows', { type: 'cursor', cursorPath: 'next', cursorBodyPath: 'paging.from' }, post],
    [
      'a cursor in the path',
      'rows/{from}',
      { type: 'cursor', cursorPath: 'next', cursorParam: 'from', initialCursor: 'start' },
      {},
    ],
    ['a header’s cursor in a header', 'rows', { type: 'header_cursor', cursorKey: 'next', cursorHeader: 'x-from' }, {}],
    [
      'a header’s cursor in the path',
      'rows/{from}',
      { type: 'header_cursor', cursorKey: 'next', cursorParam: 'from', initialCursor: 0 },
      {},
    ],
    ['an offset in the path', 'rows/{from}', { type: 'offset', limit: size, offsetParam: 'from' }, {}],
    [
      'an offset in a header',
      'rows',
      { type: 'offset', limit: size, offsetHeader: 'x-from', limitHeader: 'x-size' },
      {},
    ],
    ['a page in the path', 'pages/{page}', { type: 'page_number', basePage: 1, totalPath: null }, {}],
    ['a page in a header', 'pages', { type: 'page_number', basePage: 1, totalPath: null, pageHeader: 'x-from' }, {}],
    ['the key of the last row', 'rows', { type: 'keyset', keyParam: 'from' }, {}],
    ['the key of the last row in the path', 'rows/{from}', { type: 'keyset', keyParam: 'from', initialKey: 0 }, {}],
    ['the key of the last row in the body', 'rows', { type: 'keyset', keyBodyPath: 'paging.from' }, post],
  ]
  for (const [[where, path, paginator, more], options] of tiered(places, 4))
    it(where, options, async () => {
      expect((await ids({ path, paginator, ...more })).ids).toEqual(everyId)
    })

  it('a place in the path that nothing fills is told before anything is sent', async () => {
    const run = ids({ path: 'rows/{from}', paginator: { type: 'cursor', cursorPath: 'next', cursorParam: 'from' } })
    await expect(run).rejects.toThrow(/has a place that paging did not fill\n.*initialCursor/)
  })
})

describe('where paging ends', () => {
  const pages = { type: 'page_number', basePage: 1, pageParam: 'from', totalPath: null } as const
  type End = [why: string, paginator: PaginatorSpec, path: string, requests: number]
  const shortPage: End = ['a short page', { ...pages, pageSize: size }, 'pages', 4]
  const others: End[] = [
    ['an empty page', pages, 'pages', 5],
    ['a condition about the body', { ...pages, stopWhen: "body.more == 'no'" }, 'pages', 4],
    ['a condition about the last row', { ...pages, stopWhen: 'last_row.id >= 6' }, 'pages', 2],
    ['a condition about the headers', { ...pages, stopWhen: '!headers.next' }, 'pages', 4],
    ['a flag', { ...pages, hasMorePath: 'more' }, 'pages', 4],
    ['a maximum', { ...pages, maximumPage: 3 }, 'pages', 2],
    ['a short page of a cursor', { type: 'keyset', keyParam: 'from', pageSize: size }, 'rows', 4],
  ]
  for (const [[why, paginator, path, requests], options] of [...tiered([shortPage], 1), ...tiered(others, 2, 1)])
    it(why, options, async () => {
      expect((await ids({ path, paginator })).requests).toHaveLength(requests)
    })

  it('a guard: more pages than there may be', async () => {
    const run = ids({ path: 'pages', paginator: pages, maxPages: 3 })
    await expect(run).rejects.toMatchObject({ code: 'PAGING_LOOP' })
  })

  it('a key that does not move on', async () => {
    const target = await api((_request, response) => json(response, [{ id: 1 }]))
    const run = load(target, [{ name: 'rows', endpoint: { paginator: { type: 'keyset' } } }])
    await expect(run).rejects.toMatchObject({ code: 'PAGING_LOOP' })
  })

  it('a guess that the API does not know: the same page again', async () => {
    const target = await api((_request, response) => json(response, { data: [{ id: 1 }], next_cursor: 'x' }))
    await expect(load(target, ['rows'])).rejects.toThrow(
      /taken for cursor .*cursorParam.*cursor.* second page is the first again/,
    )
  })
})

describe('a query of which only the first rows can be reached', () => {
  /** Serves at most ten rows of a range, and says how many there are. */
  const capped = (positions: readonly number[], parse: (text: string) => number) =>
    api((_request, response, url) => {
      const [from, to] = ['from', 'to'].map((name) => parse(url.searchParams.get(name)!))
      const found = positions.filter((at) => at >= from! && at <= to!)
      json(response, { data: found.slice(0, 10).map((id) => ({ id })), total: found.length })
    })
  const day = Date.UTC(2025, 0, 1)
  const second = (text: string): number => Math.floor(Date.parse(text) / 1000)

  const units: [
    unit: string,
    positions: readonly number[],
    parse: (text: string) => number,
    more: Partial<NonNullable<EndpointSpec['splitRange']>>,
  ][] = [
    ['numbers', Array.from({ length: 100 }, (_, at) => at * 7), Number, { unit: 'number', earliest: 0, latest: 1000 }],
    [
      'seconds',
      Array.from({ length: 60 }, (_, at) => day / 1000 + at),
      second,
      { unit: 'second', earliest: '2025-01-01', latest: '2025-01-01T00:10:00Z' },
    ],
    [
      'seconds since 1970',
      Array.from({ length: 60 }, (_, at) => day / 1000 + at),
      Number,
      { unit: 'second', format: 'seconds', earliest: '2025-01-01', latest: '2025-01-02' },
    ],
    [
      'days',
      Array.from({ length: 60 }, (_, at) => day / 1000 + at * 86_400),
      second,
      { earliest: '2025-01-01', latest: '2025-04-01' },
    ],
  ]
  for (const [[unit, positions, parse, more], options] of tiered(units, 2))
    it(`is split by ${unit}`, options, async () => {
      const target = await capped(positions, parse)
      const splitRange = { startParam: 'from', endParam: 'to', maxRows: 10, totalPath: 'total', earliest: 0, ...more }
      const { rows } = await load(target, [
        {
          name: 'rows',
          primaryKey: 'id',
          writeDisposition: 'merge',
          endpoint: { dataSelector: 'data', paginator: 'single_page', splitRange },
        },
      ])
      expect((await rows('rows')).map(({ id }) => Number(id)).sort((a, b) => a - b)).toEqual(positions)
    })

  it('says so when one unit alone holds too many', async () => {
    const target = await capped(
      Array.from({ length: 20 }, () => 5),
      Number,
    )
    const splitRange = {
      startParam: 'from',
      endParam: 'to',
      maxRows: 10,
      totalPath: 'total',
      unit: 'number' as const,
      earliest: 0,
      latest: 9,
    }
    const run = load(target, [
      { name: 'rows', endpoint: { dataSelector: 'data', paginator: 'single_page', splitRange } },
    ])
    await expect(run).rejects.toThrow(/20 rows from 4 to 5, but the API serves only the first 10/)
  })
})

it.each([
  ['brackets', 'filter[a]=1&filter[b]=x&filter[b]=y', { a: 1, b: ['x', 'y'] }],
  ['dots', 'filter.a.b=1', { a: { b: 1 } }],
  ['json', 'filter={"a":{"b":[1,2]}}', { a: { b: [1, 2] } }],
] as const)('objects among the parameters, as %s: %s', async (nestedParams, expected, filter) => {
  const target = await api((_request, response) => json(response, [{ id: 1 }]))
  await load(target, [{ name: 'rows', endpoint: { params: { filter }, nestedParams } }])
  expect(decodeURIComponent(target.requests[0]!)).toBe(`GET /rows?${expected}`)
})

describe('a selector that matches nothing', () => {
  const answer = () => api((_request, response) => json(response, { items: [{ id: 1 }] }))

  it('is told', async () => {
    const { events, info } = await load(await answer(), [{ name: 'rows', endpoint: { dataSelector: 'itms' } }])
    expect(info.rows).toEqual({})
    expect(events.filter((event) => event.type === 'skipped')).toMatchObject([
      { detail: 'dataSelector "itms" matches nothing in the first answer' },
    ])
  })

  it('ends the run when the source says so', async () => {
    const run = load(await answer(), [{ name: 'rows', endpoint: { dataSelector: 'itms', requireSelector: true } }])
    await expect(run).rejects.toThrow(/matches nothing in the first answer/)
  })
})

it('null in a cursor is as if it were not there', async () => {
  const target = await api((_request, response) => json(response, [{ id: 1, at: 5 }]))
  const incremental = {
    cursorPath: 'at',
    startParam: 'since',
    initialValue: 3,
    endValue: null,
    rowOrder: null,
    lag: null,
  }
  const { info } = await load(target, [{ name: 'rows', endpoint: { incremental: incremental as never } }])
  expect(info.rows).toEqual({ rows: 1 })
  expect(target.requests).toEqual(['GET /rows?since=3'])
})
