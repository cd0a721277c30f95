import { describe, expect, it } from 'vitest'
import { restSource, type ClientSpec, type EndpointSpec, type PaginatorSpec } from '../../src/sources/rest/index.ts'
import { api, freshPipeline, json, type TestApi } from '../support/api.ts'
import { tiered } from '../support/effort.ts'

const all = Array.from({ length: 25 }, (_, id) => ({ id, title: `Post ${id}` }))
const size = 5
const slice = (page: number): typeof all => all.slice((page - 1) * size, page * size)

/** An API that pages in every way, by path. */
const posts = (): Promise<TestApi> =>
  api((_request, response, url, body) => {
    const page = Number(url.searchParams.get('page') ?? 1)
    const offset = Number(url.searchParams.get('offset') ?? 0)
    const after = Number(url.searchParams.get('cursor') ?? url.searchParams.get('after') ?? 0)
    const data = slice(page)
    const next = page < 5 ? page + 1 : undefined
    switch (url.pathname) {
      case '/next-link':
        return json(response, { data, links: { next: next === undefined ? null : `${url.pathname}?page=${next}` } })
      case '/odata':
        return json(response, {
          value: data,
          ...(next && { '@odata.nextLink': `http://${_request.headers.host}/odata?page=${next}` }),
        })
      case '/header-link':
        return json(
          response,
          data,
          200,
          next === undefined ? {} : { link: `<${url.pathname}?page=${next}>; rel="next", </>; rel="first"` },
        )
      case '/header-cursor':
        return json(response, data, 200, next === undefined ? {} : { cursor: String(next) })
      case '/pages':
        return json(response, { items: data, page, total_pages: 5 })
      case '/zero-pages': {
        const zero = Number(url.searchParams.get('page') ?? 0)
        return json(response, { items: slice(zero + 1), page: zero, total_pages: 5 })
      }
      case '/offset':
        return json(response, { results: all.slice(offset, offset + size), total: 25, offset, limit: size })
      case '/cursor':
        return json(response, {
          data: all.slice(after, after + size),
          next_cursor: after + size < 25 ? after + size : null,
        })
      case '/last-id': {
        const start = url.searchParams.has('after') ? after + 1 : 0
        return json(response, { data: all.slice(start, start + size), count: 25 })
      }
      case '/body': {
        const { paging = { offset: 0 } } = JSON.parse(body) as { paging?: { offset: number } }
        return json(response, { data: all.slice(paging.offset, paging.offset + size), total: 25 })
      }
      case '/more':
        return json(response, { data, has_more: true })
      case '/one':
        return json(response, { data: all })
    }
    json(response, {}, 404)
  })

async function ids(endpoint: EndpointSpec): Promise<{ ids: number[]; requests: number }> {
  const target = await posts()
  const loading = freshPipeline()
  await loading.run(
    restSource({ name: 'posts', client: { baseUrl: target.baseUrl }, resources: [{ name: 'posts', endpoint }] }),
  )
  const rows = await loading.dataset().table<{ id: number }>('posts').toArray()
  return { ids: rows.map((row) => row.id).sort((a, b) => a - b), requests: target.requests.length }
}
const everyId = all.map((post) => post.id)

describe('paginators', () => {
  const cases: [string, PaginatorSpec, number][] = [
    ['next-link', { type: 'json_link', nextUrlPath: 'links.next' }, 5],
    ['header-link', { type: 'header_link' }, 5],
    ['header-cursor', { type: 'header_cursor', cursorKey: 'cursor', cursorParam: 'page' }, 5],
    ['pages', { type: 'page_number', basePage: 1, totalPath: 'total_pages' }, 5],
    ['pages', { type: 'page_number', basePage: 1, totalPath: null }, 6],
    ['pages', { type: 'page_number', basePage: 1, totalPath: null, maximumPage: 6 }, 5],
    ['zero-pages', { type: 'page_number', totalPath: 'total_pages' }, 5],
    ['offset', { type: 'offset', limit: 5 }, 5],
    ['cursor', { type: 'cursor', cursorPath: 'next_cursor' }, 5],
    ['last-id', { type: 'cursor', cursorPath: 'data[-1].id', cursorParam: 'after' }, 6],
    ['one', { type: 'single_page' }, 1],
  ]
  for (const [[path, paginator, requests], options] of tiered(cases, 5))
    it(`${path} ${JSON.stringify(paginator)}`, options, async () => {
      expect(await ids({ path, paginator })).toEqual({ ids: everyId, requests })
    })

  it('writes into a body', async () => {
    const paginator: PaginatorSpec = {
      type: 'offset',
      limit: 5,
      offsetBodyPath: 'paging.offset',
      limitBodyPath: 'paging.limit',
    }
    expect(await ids({ path: 'body', method: 'POST', json: {}, paginator })).toEqual({ ids: everyId, requests: 5 })
  })
})

describe('detection', () => {
  const paths = ['next-link', 'odata', 'header-link', 'pages', 'zero-pages', 'offset', 'cursor', 'one']
  for (const [path, options] of tiered(paths, 3, 1))
    it(path, options, async () => {
      expect((await ids({ path })).ids).toEqual(everyId)
    })

  it.each(['more', 'last-id'])('%s has more rows and no way to them that can be told', async (path) => {
    await expect(ids({ path })).rejects.toMatchObject({ code: 'PAGING_UNKNOWN' })
  })
})

describe('parents and children', () => {
  it('fills placeholders, encodes them, and adds fields of the parent', async () => {
    const target = await api((_request, response, url) => {
      if (url.pathname === '/orgs')
        return json(response, [
          { id: 'a/b?c', tag: 7 },
          { id: 'x', tag: 8 },
        ])
      json(response, [{ n: 1, of: decodeURIComponent(url.pathname.split('/')[2]!), tag: url.searchParams.get('tag') }])
    })
    const loading = freshPipeline()
    await loading.run(
      restSource({
        name: 'orgs',
        client: { baseUrl: target.baseUrl, paginator: 'single_page' },
        resources: [
          'orgs',
          {
            name: 'users',
            includeFromParent: ['id'],
            endpoint: { path: 'orgs/{resources.orgs.id}/users', params: { tag: '{resources.orgs.tag}' } },
          },
        ],
      }),
    )
    expect(target.requests).toContain('GET /orgs/a%2Fb%3Fc/users?tag=7')
    const rows = await loading.dataset().table('users').toArray()
    expect(rows.map(({ of, _orgs_id, tag }) => [of, _orgs_id, tag]).sort()).toEqual([
      ['a/b?c', 'a/b?c', '7'],
      ['x', 'x', '8'],
    ])
  })

  it('takes cursor and parent field from parameters, as older sources of dlt write them', async () => {
    const target = await api((_request, response, url) =>
      json(response, url.pathname === '/orgs' ? [{ id: 7, at: '2025-01-02' }] : [{ n: 1 }]),
    )
    const source = restSource({
      name: 'orgs',
      client: { baseUrl: target.baseUrl, paginator: 'single_page' },
      resources: [
        {
          name: 'orgs',
          endpoint: { params: { since: { type: 'incremental', cursor_path: 'at', initial_value: '2025-01-01' } } },
        },
        {
          name: 'users',
          endpoint: {
            path: 'orgs/{org_id}/users',
            params: { org_id: { type: 'resolve', resource: 'orgs', field: 'id' } },
          },
        },
      ],
    })
    const loading = freshPipeline()
    await loading.run(source)
    await loading.run(source)
    expect(target.requests).toEqual(['GET /orgs?since=2025-01-01', 'GET /orgs/7/users', 'GET /orgs?since=2025-01-02'])
  })

  it('reads a parent that is not selected, without loading it', async () => {
    const target = await api((_request, response, url) =>
      json(response, url.pathname === '/orgs' ? [{ id: 1 }] : [{ n: 1 }]),
    )
    const source = restSource({
      name: 'orgs',
      client: { baseUrl: target.baseUrl, paginator: 'single_page' },
      resources: ['orgs', { name: 'users', endpoint: 'orgs/{resources.orgs.id}/users' }],
    })
    const info = await freshPipeline().run(source.withResources('users'))
    expect(info.rows).toEqual({ users: 1 })
  })

  it('tells all problems of a source at once', () => {
    const spec = {
      name: 'x',
      client: { base_url: 'http://a', auth: { type: 'beerer' } },
      resources: [{ name: 'u', endpoint: { pth: 'u' } }],
    }
    expect(() => restSource(spec as never)).toThrow(
      /4 problem\(s\)[^]*base_url[^]*did you mean "baseUrl"[^]*client.auth.type: expected bearer[^]*pth: is not known; did you mean "path"/,
    )
  })
})

describe('many pages', () => {
  /** An API of 40 pages of two rows. After the first one it answers nothing until so many requests wait at once. */
  async function waitingApi(atOnce: number): Promise<{ baseUrl: string; requests: string[]; most: () => number }> {
    let most = 0
    const open: (() => void)[] = []
    const { baseUrl, requests } = await api((_request, response, url) => {
      const offset = Number(url.searchParams.get('offset') ?? (Number(url.searchParams.get('page')) - 1) * 2)
      const data = offset < 80 ? [{ id: offset }, { id: offset + 1 }] : []
      open.push(() => json(response, { data, total: 80, total_pages: 40 }))
      most = Math.max(most, open.length)
      if (offset === 0 || most >= atOnce) for (const answer of open.splice(0).toReversed()) setTimeout(answer, 5)
    })
    return { baseUrl, requests, most: () => most }
  }
  const many = Array.from({ length: 80 }, (_, id) => ({ id }))
  /** Rows in the order in which they came. */
  async function read(
    baseUrl: string,
    endpoint: EndpointSpec,
    client: Partial<ClientSpec> = {},
    limit?: number,
  ): Promise<unknown[]> {
    const source = restSource({ name: 'many', client: { baseUrl, ...client }, resources: [{ name: 'p', endpoint }] })
    const rows: unknown[] = []
    const loading = freshPipeline()
    const counted = source.resources[0]!.map((row) => {
      rows.push(row)
      return row
    })
    await loading.run(limit === undefined ? counted : counted.limit(limit))
    return rows.map((row) => ({ id: (row as { id: number }).id }))
  }

  it.each([
    ['page_number', { type: 'page_number', basePage: 1, totalPath: 'total_pages' }],
    ['offset', { type: 'offset', limit: 2 }],
  ] as const)('by %s are asked for at once, and come in order', async (_name, paginator) => {
    const { baseUrl, requests, most } = await waitingApi(8)
    const rows = await read(baseUrl, { paginator }, { concurrency: 8 })
    expect(rows).toEqual(many)
    expect(requests).toHaveLength(40)
    expect(most()).toBe(8)
  })

  it('a limit asks for no page more than it takes', async () => {
    const { baseUrl, requests } = await waitingApi(0)
    const rows = await read(baseUrl, { paginator: { type: 'offset', limit: 2 } }, {}, 3)
    expect(rows).toHaveLength(6)
    expect(requests).toHaveLength(3)
  })

  it('a total that grows meanwhile is read to its end', async () => {
    let answered = 0
    const { baseUrl, requests } = await api((_request, response, url) => {
      const offset = Number(url.searchParams.get('offset'))
      answered += 1
      const total = answered < 3 ? 6 : 8
      json(response, { data: offset < total ? [{ id: offset }, { id: offset + 1 }] : [], total })
    })
    expect(await read(baseUrl, { paginator: { type: 'offset', limit: 2 } })).toEqual(many.slice(0, 8))
    expect(requests).toHaveLength(4)
  })
})
