import { describe, expect, it } from 'vitest'
import { restSource, type EndpointSpec, type PaginatorSpec } from '../../src/sources/rest/index.ts'
import { createPaginator, detectPaginator } from '../../src/sources/rest/paginate/index.ts'
import { detectingSelector } from '../../src/sources/rest/select.ts'
import { api, json, type Answer } from '../support/api.ts'
import { read } from '../support/read-source.ts'
import { fc } from '../support/seed.ts'

const styles: Record<string, (words: readonly string[]) => string> = {
  snake: (words) => words.join('_'),
  camel: (words) => words.map((word, at) => (at === 0 ? word : capital(word))).join(''),
  pascal: (words) => words.map(capital).join(''),
  kebab: (words) => words.join('-'),
  flat: (words) => words.join(''),
  screaming: (words) => words.join('_').toUpperCase(),
}
const capital = (word: string): string => word[0]!.toUpperCase() + word.slice(1)

/** A field that may signal more pages: its words, and values that do and that do not, given the number of rows. */
const signals: readonly (readonly [
  words: string[],
  live: (rows: number) => unknown,
  dead: (rows: number) => unknown,
])[] = [
  [['next', 'cursor'], () => 'bmV4dA==', () => null],
  [['next', 'cursor'], () => 'bmV4dA==', () => ''],
  [['next', 'page', 'token'], () => 'tok', () => null],
  [['next', 'token'], () => 'tok', () => ''],
  [['next', 'marker'], () => 'm1', () => null],
  [['next', 'offset'], (rows) => rows, () => null],
  [['next', 'page'], () => 2, () => null],
  [['next'], () => '/list?page=2', () => null],
  [['next', 'url'], () => 'https://x/list?page=2', () => ''],
  [['next', 'link'], () => '?page=2', () => null],
  [['next', 'page', 'uri'], () => '/list?page=2', () => null],
  [['continuation', 'token'], () => 'tok', () => null],
  [['pagination', 'token'], () => 'tok', () => null],
  [['end', 'cursor'], () => 'tok', () => null],
  [['scroll', 'id'], () => 'DXF1', () => null],
  [['cursor'], () => 'tok', () => null],
  [['after'], () => 'tok', () => ''],
  [['bookmark'], () => 'tok', () => null],
  [['marker'], () => 'tok', () => null],
  [['token'], () => 'tok', () => null],
  [['offset'], () => 'itr/rec', () => 0],
  [['has', 'more'], () => true, () => false],
  [['has', 'more', 'items'], () => true, () => false],
  [['more'], () => true, () => false],
  [['more', 'records'], () => 'true', () => 'false'],
  [['has', 'next'], () => true, () => false],
  [['has', 'next', 'page'], () => true, () => false],
  [['is', 'truncated'], () => true, () => false],
  [['truncated'], () => true, () => false],
  [['last'], () => false, () => true],
  [['is', 'last'], () => false, () => true],
  [['last', 'page'], () => 3, () => 1],
  [['total', 'pages'], () => 3, () => 1],
  [['page', 'count'], () => '3', () => '1'],
  [['total'], (rows) => rows + 1, (rows) => rows],
  [['total', 'count'], (rows) => rows + 7, (rows) => rows],
  [['total', 'results'], (rows) => String(rows + 1), (rows) => String(rows)],
  [['total', 'elements'], (rows) => rows * 10, (rows) => rows],
  [['count'], (rows) => rows + 1, (rows) => rows],
  [['total', 'records'], (rows) => rows + 1, (rows) => rows],
  [['total', 'rows'], (rows) => rows + 1, (rows) => rows],
  [['total', 'entries'], (rows) => rows + 1, (rows) => rows],
  [['total', 'hits'], (rows) => rows + 1, (rows) => rows],
  [['total', 'size'], (rows) => rows + 1, (rows) => rows],
  [['total', 'items'], (rows) => rows + 1, (rows) => rows],
  [['num', 'found'], (rows) => rows + 1, (rows) => rows],
  [['nb', 'hits'], (rows) => rows + 1, (rows) => rows],
  [['record', 'count'], (rows) => rows + 1, (rows) => rows],
  [['pages'], () => 4, () => 1],
  [['num', 'pages'], () => 4, () => 1],
  [['nb', 'pages'], () => 4, () => 1],
  [['next', 'key'], () => 'k', () => null],
  [['next', 'id'], () => 77, () => null],
  [['next', 'start'], () => 3, () => null],
  [['next', 'results'], () => '?max_id=7', () => null],
  [['next', 'records', 'url'], () => '/list/7', () => null],
  [['next', 'href'], () => '/list?page=2', () => null],
  [['page', 'token'], () => 'tok', () => null],
  [['page', 'cursor'], () => 'tok', () => null],
  [['after', 'cursor'], () => 'tok', () => null],
  [['after', 'id'], () => 'tok', () => null],
  [['resume', 'token'], () => 'tok', () => null],
  [['continue'], () => 'tok', () => ''],
  [['is', 'last', 'page'], () => false, () => true],
  [['done'], () => false, () => true],
  [['finished'], () => false, () => true],
  [['no', 'more'], () => false, () => true],
  [['more', 'results', 'url'], () => '/list?page=2', () => null],
  [['has', 'more', 'pages'], () => true, () => false],
  [['has', 'additional', 'results'], () => true, () => false],
]
/** Names of their own, which only words of paging in them give away; `flat` has no words. */
const strange: typeof signals = [
  [['my', 'next', 'thing'], () => 'x', () => null],
  [['list', 'cursor', 'value'], () => 'x', () => ''],
  [['rows', 'truncated', 'flag'], () => true, () => false],
  [['position', 'marker', 'x'], () => 'x', () => null],
  [['query', 'more'], () => true, () => false],
  [['page', 'continuation', 'id'], () => 'x', () => null],
]
const blocks = [
  [],
  ['meta'],
  ['pagination'],
  ['paging'],
  ['page', 'info'],
  ['response', 'metadata'],
  ['links'],
  ['info'],
  ['list', 'meta'],
  ['page'],
  ['result', 'info'],
]
/** Fields of responses that are about something else. */
const noise: Record<string, unknown> = {
  request_id: 'req_1',
  status: 'ok',
  ok: true,
  took: 12,
  access_token: 'secret',
  refresh_token: 'secret',
  server_time: 1_700_000_000,
  version: '2',
  offset: 0,
  page: 1,
  prev: null,
  previous_page: null,
  prev_cursor: 'before',
  has_previous: true,
  self: '/list',
  next_sync_token: 'sync',
  next_run_at: '2030-01-01T00:00:00Z',
  more_info_url: 'https://docs.example.com',
  start_cursor: 'first',
  last_updated: '2024-01-01',
  last_modified: 1_700_000_000,
  total_amount: 12_345,
  per_page: 100,
  limit: 100,
  '@odata.deltaLink': 'https://x/list?delta=1',
  warnings: [],
  filter: { after: '2024-01-01', cursor: 'x' },
  request: { total: 900, next: 'x' },
  user: { total: 900, has_more: true },
  rate_limit: { remaining: 10, total: 900 },
}

interface Envelope {
  body: Record<string, unknown>
  rows: number
}

const envelope = (isLive: boolean): fc.Arbitrary<Envelope> =>
  fc
    .record({
      named: fc.oneof(
        { weight: 8, arbitrary: fc.tuple(fc.constantFrom(...signals), fc.constantFrom(...Object.keys(styles))) },
        { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...strange), fc.constantFrom('snake', 'camel', 'kebab')) },
      ),
      blocks: fc.array(fc.constantFrom(...blocks), { maxLength: 2 }),
      rows: fc.integer({ min: 1, max: 4 }),
      list: fc.constantFrom('data', 'items', 'results', 'users'),
      outer: fc.constantFrom('', 'around', 'rows only'),
      extras: fc.uniqueArray(fc.constantFrom(...Object.keys(noise)), { maxLength: 5 }),
    })
    .map(({ named: [[words, live, dead], style], blocks, rows, list, outer, extras }) => {
      const spell = styles[style]!
      const field = { [spell(words)]: (isLive ? live : dead)(rows) }
      const nested = blocks
        .filter((block) => block.length > 0)
        .reduce<Record<string, unknown>>((inner, block) => ({ [spell(block)]: inner }), field)
      const others = Object.fromEntries(extras.map((key) => [key, noise[key]]))
      const found = { [list]: Array.from({ length: rows }, (_, id) => ({ id, next_cursor: 'of it', has_more: true })) }
      const body = { ...others, ...(outer === 'rows only' ? { response: found } : found), ...nested }
      return { rows, body: outer === 'around' ? { response: body } : body }
    })

const url = new URL('https://x/list')
const responseOf = (body: unknown, headers: Record<string, string> = {}, status = 200) => ({
  status,
  headers: new Headers(headers),
  body,
  text: JSON.stringify(body),
  url,
})

/** Whether the first page is followed by another, refused, or taken for all. */
function outcome(body: unknown, headers: Record<string, string> = {}, status = 200): 'more' | 'all' {
  const response = responseOf(body, headers, status)
  const rows = detectingSelector().rows(body)
  const request = { method: 'GET' as const, url: new URL(url), headers: {}, body: undefined }
  let spec: PaginatorSpec
  try {
    spec = detectPaginator(response, rows)
  } catch (error) {
    expect(error).toMatchObject({ code: 'PAGING_UNKNOWN', fix: expect.stringContaining('paginator: {') })
    return 'more'
  }
  const paginator = createPaginator(spec)
  paginator.first(request)
  return paginator.next(request, { response, rows, count: rows.length }) ? 'more' : 'all'
}

describe('an envelope of any shape', () => {
  it('with a live signal is followed or refused, never taken for all', () => {
    fc.assert(
      fc.property(envelope(true), ({ body }) => void expect(outcome(body)).toBe('more')),
      { numRuns: 600 },
    )
  })

  it('whose signals are dead is all there is, without complaint', () => {
    fc.assert(
      fc.property(envelope(false), ({ body }) => void expect(outcome(body)).toBe('all')),
      { numRuns: 600 },
    )
  })

  it('headers, too', () => {
    const live: [string, string, number?][] = [
      ['link', '<https://x/list?page=2>; rel="next"'],
      ['link', '<https://x/list?page=2>; rel="next"; results="true"'],
      ['x-next-page', '2'],
      ['x-next-cursor', 'abc'],
      ['next-range', 'id 3..'],
      ['x-has-more', 'true'],
      ['x-pagination', '{"total_pages":3,"page":1}'],
      ['x-pagination', '{"NextPageLink":"https://x/list?page=2"}'],
      ['pagination', '{"hasNext":true}'],
      ['x-total-count', '9'],
      ['x-total', '9'],
      ['x-wp-totalpages', '3'],
      ['x-total-pages', '3'],
      ['content-range', 'items 0-2/9'],
      ['content-range', '0-2/9', 206],
      ['accept-ranges', 'none', 206],
      ['x-ms-continuation', 'abc'],
    ]
    const dead: [string, string, number?][] = [
      ['link', '<https://x/list?page=1>; rel="last"'],
      ['link', '<https://x/list?page=2>; rel="next"; results="false"'],
      ['x-next-page', ''],
      ['x-has-more', 'false'],
      ['x-pagination', '{"total_pages":1,"page":1}'],
      ['x-total-count', '3'],
      ['x-total-pages', '1'],
      ['content-range', 'items 0-2/3'],
      ['content-range', '0-2/*'],
      ['content-range', '0-2/3', 206],
      ['x-ratelimit-total', '5000'],
      ['x-rate-limit-remaining', '5000'],
      ['x-nextjs-cache', 'HIT'],
      ['x-page', '1'],
      ['x-per-page', '20'],
    ]
    const rows = [{ id: 1 }, { id: 2 }, { id: 3 }]
    for (const [name, value, status] of live) {
      expect([name, value, outcome(rows, { [name]: value }, status)]).toEqual([name, value, 'more'])
    }
    for (const [name, value, status] of dead) {
      expect([name, value, outcome(rows, { [name]: value }, status)]).toEqual([name, value, 'all'])
    }
  })

  it('that repeats parameters of the request says nothing by that', () => {
    const body = { items: [{ id: 1 }], cursor: 'abc', offset: 50, page: 3 }
    const asked = { ...responseOf(body), url: new URL('https://x/list?cursor=abc&offset=50&page=3') }
    expect(detectPaginator(asked, body.items)).toEqual({ type: 'single_page' })
  })
})

/** Reads one resource of a server that answers as given. */
async function rowsFrom(answer: Answer, endpoint: EndpointSpec) {
  const server = await api(answer)
  const source = restSource({
    name: 's',
    client: { baseUrl: server.baseUrl, maxAttempts: 1, backoffMs: 1 },
    resources: [{ name: 'rows', endpoint: { path: 'list', ...endpoint } }],
  })
  const { rows, events, error } = await read(source)
  const doubts = events.flatMap((event) => (event.type === 'notice' ? [event.notice] : []))
  return { ids: rows.map((row) => Number((row as { id: number }).id)), requests: server.requests, doubts, error }
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, id) => id)

describe('offsets', () => {
  it('a server that serves as many rows as it likes loses none and doubles none', { timeout: 60_000 }, async () => {
    const server = fc.record({
      count: fc.integer({ min: 0, max: 60 }),
      limit: fc.integer({ min: 1, max: 20 }),
      caps: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 }),
      says: fc.constantFrom('total', 'more', 'nothing'),
    })
    await fc.assert(
      fc.asyncProperty(server, async ({ count, limit, caps, says }) => {
        let asked = 0
        const paginator: PaginatorSpec = {
          type: 'offset',
          limit,
          totalPath: says === 'total' ? 'total' : null,
          ...(says === 'more' ? { hasMorePath: 'more' } : {}),
        }
        const { ids, error } = await rowsFrom(
          (_request, response, url) => {
            const from = Number(url.searchParams.get('offset'))
            const size = Math.min(Number(url.searchParams.get('limit')), caps[asked++ % caps.length]!)
            const rows = upTo(count)
              .slice(from, from + size)
              .map((id) => ({ id }))
            json(response, { rows, total: count, more: from + size < count })
          },
          { dataSelector: 'rows', paginator },
        )
        expect(error).toBeUndefined()
        expect(ids).toEqual(upTo(count))
      }),
      { numRuns: 40 },
    )
  })

  it('pages of another size than the first end the reading ahead, and nothing else', async () => {
    const { ids, requests } = await rowsFrom(
      (_request, response, url) => {
        const from = Number(url.searchParams.get('offset'))
        const size = from === 20 ? 7 : 10
        json(response, {
          rows: upTo(95)
            .slice(from, from + size)
            .map((id) => ({ id })),
          total: 95,
        })
      },
      { dataSelector: 'rows', paginator: { type: 'offset', limit: 10 } },
    )
    expect(ids).toEqual(upTo(95))
    expect(requests).toContain('GET /list?offset=27&limit=10')
  })
})

describe('the length of a page', () => {
  const pages =
    (count: number, cap: number): Answer =>
    (_request, response, url) => {
      const size = Math.min(cap, Number(url.searchParams.get('per_page') ?? cap))
      const from = (Number(url.searchParams.get('page')) - 1) * size
      json(
        response,
        upTo(count)
          .slice(from, from + size)
          .map((id) => ({ id })),
      )
    }
  const paginator: PaginatorSpec = { type: 'page_number', basePage: 1, totalPath: null, pageSize: 1000 }

  it.each([0, 40, 100, 250, 300])('%s rows of a server that serves 100 where 1,000 are asked for', async (count) => {
    const { ids } = await rowsFrom(pages(count, 100), { params: { per_page: 1000 }, paginator })
    expect(ids).toEqual(upTo(count))
  })

  it('one that is shorter than the API documents ends the reading', async () => {
    const { ids, requests } = await rowsFrom(pages(40, 100), { paginator: { ...paginator, pageSize: 100 } })
    expect([ids.length, requests.length]).toEqual([40, 1])
  })

  it.each<[string, EndpointSpec, boolean]>([
    ['as many as asked for', { params: { limit: 3 }, paginator: 'single_page' }, true],
    ['as many as asked for, undeclared', { params: { limit: 3 } }, true],
    ['as many as asked for in the body', { method: 'POST', json: { page_size: 3 }, paginator: 'single_page' }, true],
    ['fewer than asked for', { params: { limit: 4 }, paginator: 'single_page' }, false],
    ['nothing asked for', { paginator: 'single_page' }, false],
  ])('%s: the run says that these may not be all', async (_name, endpoint, isTold) => {
    const { ids, doubts } = await rowsFrom(
      (_request, response) => json(response, [{ id: 0 }, { id: 1 }, { id: 2 }]),
      endpoint,
    )
    expect(ids).toEqual([0, 1, 2])
    expect(doubts).toHaveLength(isTold ? 1 : 0)
  })

  it.each<[string, object]>([
    ['a total', { total: 3 }],
    ['a flag', { has_more: false }],
    ['no next', { next: null }],
  ])('as many as asked for, and %s that ends it: nothing to say', async (_name, envelope) => {
    const answer: Answer = (_request, response) =>
      json(response, { data: [{ id: 0 }, { id: 1 }, { id: 2 }], ...envelope })
    expect((await rowsFrom(answer, { params: { limit: 3 } })).doubts).toEqual([])
  })

  it('a flag that ends it outweighs a larger total, which the run reports', async () => {
    const answer: Answer = (_request, response) => json(response, { data: [{ id: 0 }], has_more: false, total: 9 })
    const { ids, doubts } = await rowsFrom(answer, {})
    expect(ids).toEqual([0])
    expect(doubts).toMatchObject([{ detail: expect.stringContaining('"total" is 9') }])
  })

  it('a declared paginator that ends while the response says that there is more', async () => {
    const answer: Answer = (_request, response) => json(response, { data: [{ id: 0 }], next_cursor: 'abc', total: 9 })
    for (const declared of ['single_page', { type: 'json_link', nextUrlPath: 'paging.next' }] as const) {
      const { doubts } = await rowsFrom(answer, { paginator: declared })
      expect(doubts).toMatchObject([
        { kind: 'pages-in-doubt', detail: expect.stringContaining('"next_cursor" is "abc"') },
      ])
    }
  })
})

describe('a declared path that the first response does not have', () => {
  const paths = ['next', 'paging.next', "['the paging'].next", 'links[0].href', 'a.b.c']
  const paginators: ((path: string) => PaginatorSpec)[] = [
    (nextUrlPath) => ({ type: 'json_link', nextUrlPath }),
    (cursorPath) => ({ type: 'cursor', cursorPath, cursorParam: 'c' }),
  ]
  /** An object with all of a path but its last `left` steps; the last one is given null when none is left. */
  function without(path: string, left: number): object {
    const steps = path
      .replaceAll(/\['?|'?\]/g, '.')
      .split('.')
      .filter((step) => step !== '')
    const made = steps
      .slice(0, Math.max(0, steps.length - left))
      .reduceRight<unknown>((inner, step) => (/^\d+$/.test(step) ? [inner] : { [step]: inner }), left === 0 ? null : {})
    return made as object
  }

  it('is reported of a full page, and where its object is missing of one of unknown size', async () => {
    const drawn = fc.record({
      path: fc.constantFrom(...paths),
      paginator: fc.constantFrom(...paginators),
      left: fc.integer({ min: 0, max: 3 }),
      count: fc.integer({ min: 0, max: 4 }),
      limit: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    })
    await fc.assert(
      fc.asyncProperty(drawn, async ({ path, paginator, left, count, limit }) => {
        const answer: Answer = (_request, response) =>
          json(response, { data: Array.from({ length: count }, (_, id) => ({ id })), ...without(path, left) })
        const { ids, doubts } = await rowsFrom(answer, {
          dataSelector: 'data',
          paginator: paginator(path),
          ...(limit === undefined ? {} : { params: { limit } }),
        })
        const depth = path.split(/[.[]/).filter((step) => step !== '').length
        const isInDoubt = limit === undefined ? left > 1 && depth > 1 : left > 0 && limit === count
        expect(ids).toHaveLength(count)
        expect(doubts.map(({ kind }) => kind)).toEqual(isInDoubt && count > 0 ? ['pages-in-doubt'] : [])
        if (isInDoubt && count > 0) expect(doubts[0]).toMatchObject({ detail: expect.stringContaining(`"${path}"`) })
      }),
      { numRuns: 150 },
    )
  })

  it('a list that stands alone has no place for it; one that a later page lacks ends the series', async () => {
    const paginator: PaginatorSpec = { type: 'json_link', nextUrlPath: 'next' }
    expect((await rowsFrom((_request, response) => json(response, [{ id: 0 }]), { paginator })).doubts).toHaveLength(1)
    const pages: Answer = (_request, response, url) =>
      json(response, { data: [{ id: 0 }], ...(url.search === '' ? { paging: { next: '/list?b' } } : {}) })
    const read = await rowsFrom(pages, { paginator: { type: 'json_link', nextUrlPath: 'paging.next' } })
    expect([read.ids.length, read.doubts]).toEqual([2, []])
  })
})

describe('a series that does not get on', () => {
  const cursor: PaginatorSpec = { type: 'cursor', cursorPath: 'next', cursorParam: 'c' }
  const at = (url: URL): number => Number(url.searchParams.get('c') ?? 0)
  it.each<[string, PaginatorSpec, Answer]>([
    ['one cursor for ever', cursor, (_request, response) => json(response, { data: [{ id: 1 }], next: 'x' })],
    [
      'two cursors in turn',
      cursor,
      (_request, response, url) => json(response, { data: [{ id: at(url) }], next: 3 - Math.max(1, at(url)) }),
    ],
    [
      'new cursors to the same page',
      cursor,
      (_request, response, url) => json(response, { data: [{ id: 1 }], at: at(url), next: at(url) + 1 }),
    ],
    [
      'new cursors to two pages in turn',
      cursor,
      (_request, response, url) => json(response, { data: [{ id: at(url) % 2 }], next: at(url) + 1 }),
    ],
    [
      'new cursors to empty pages',
      cursor,
      (_request, response, url) => json(response, { data: [], next: at(url) + 1 }),
    ],
    [
      'links to empty pages',
      { type: 'json_link', nextUrlPath: 'next' },
      (_request, response, url) => json(response, { data: [], next: `/list?c=${at(url) + 1}` }),
    ],
    [
      'a parameter that is ignored',
      { type: 'page_number', totalPath: null },
      (_request, response) => json(response, { data: [{ id: 1 }], id: Math.random() }),
    ],
    [
      'a flag that stays true',
      { type: 'offset', limit: 1, totalPath: null, hasMorePath: 'more', stopAfterEmptyPage: false },
      (_request, response) => json(response, { data: [], more: true }),
    ],
  ])('%s', async (_name, paginator, answer) => {
    const { error, requests } = await rowsFrom(answer, { paginator })
    expect(error).toMatchObject({ code: 'PAGING_LOOP' })
    expect(requests.length).toBeLessThan(30)
  })

  it('empty pages in between are none, nor are equal ones', async () => {
    const rowsAt = (page: number): object[] => (page % 7 === 0 ? [{ id: page }] : page % 7 === 3 ? [{ id: 0 }] : [])
    const { ids, error } = await rowsFrom(
      (_request, response, url) => json(response, { data: rowsAt(at(url)), next: at(url) < 70 ? at(url) + 1 : null }),
      { paginator: cursor },
    )
    expect(error).toBeUndefined()
    expect(ids.filter((id) => id > 0)).toEqual([7, 14, 21, 28, 35, 42, 49, 56, 63, 70])
  })

  it('maxPages allows more of them', async () => {
    const answer: Answer = (_request, response, url) =>
      json(response, { data: at(url) === 60 ? [{ id: 1 }] : [], next: at(url) < 60 ? at(url) + 1 : null })
    expect((await rowsFrom(answer, { paginator: cursor, maxPages: 100 })).ids).toEqual([1])
    expect((await rowsFrom(answer, { paginator: cursor })).error).toMatchObject({ code: 'PAGING_LOOP' })
  })
})
