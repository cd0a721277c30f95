import { describe, expect, it } from 'vitest'
import { PipelineError, secret } from '../../src/index.ts'
import type { EndpointSpec } from '../../src/sources/rest/index.ts'
import { api, json } from '../support/api.ts'
import { load } from '../support/rest.ts'

const single = { paginator: 'single_page' } as const

describe('GET with a body', () => {
  it('is sent as it is, and goes on page by page', async () => {
    const seen: unknown[] = []
    const target = await api((request, response, _url, body) => {
      const { query, page } = JSON.parse(body) as { query: string; page: number }
      seen.push([request.method, request.headers['content-type'], query, page])
      json(response, { hits: [{ id: page }], pages: 2 })
    })
    const endpoint: EndpointSpec = {
      json: { query: 'ä' },
      dataSelector: 'hits',
      paginator: { type: 'page_number', basePage: 1, pageBodyPath: 'page', totalPath: 'pages' },
    }
    const { rows } = await load(target, [{ name: 'search', endpoint }])
    expect(await rows('search')).toEqual([{ id: 1n }, { id: 2n }].map(({ id }) => ({ id: Number(id) })))
    expect(seen).toEqual([1, 2].map((page) => ['GET', 'application/json', 'ä', page]))
  })

  it('follows redirects and reports errors like any other', async () => {
    const target = await api((_request, response, url, body) => {
      if (url.pathname === '/old') return void response.writeHead(307, { location: '/new' }).end()
      if (url.pathname === '/bad') return json(response, { message: 'no' }, 400)
      json(response, [{ id: 1, got: body }])
    })
    const { rows } = await load(target, [{ name: 'old', endpoint: { ...single, json: { a: 1 } } }])
    expect(await rows('old')).toEqual([{ id: 1, got: '{"a":1}' }])
    await expect(load(target, [{ name: 'bad', endpoint: { ...single, json: { a: 1 } } }])).rejects.toThrow(
      'answered 400: no',
    )
  })
})

describe('a request that cannot be sent', () => {
  const circular: Record<string, unknown> = {}
  circular.self = circular
  it.each<[string, EndpointSpec | undefined, string | undefined]>([
    ['a header value with a line end', { headers: { 'X-A': 'a\nSecret-1: b' } }, undefined],
    ['a header value beyond Latin-1', { headers: { 'X-A': 'ключ' } }, undefined],
    ['a header name with a space', { headers: { 'X A': 'a' } }, undefined],
    ['a port that fetch blocks', undefined, 'http://127.0.0.1:6000'],
    ['another protocol', undefined, 'ftp://127.0.0.1'],
    ['no protocol', undefined, 'localhost:8080'],
  ])('with %s fails at once, without its value', async (_what, endpoint, baseUrl) => {
    const target = await api((_request, response) => json(response, [{ id: 1 }]))
    const startedAt = performance.now()
    const client = { ...(baseUrl === undefined ? {} : { baseUrl }), backoffMs: 60_000 }
    const error = await load(target, [{ name: 'a', endpoint: { ...single, ...endpoint } }], client).catch(
      (one: unknown) => one,
    )
    expect(error).toBeInstanceOf(PipelineError)
    expect((error as PipelineError).message).not.toContain('Secret-1')
    expect(['SOURCE_INVALID', 'RESOURCE_FAILED']).toContain((error as PipelineError).code)
    expect(target.requests).toEqual([])
    expect(performance.now() - startedAt).toBeLessThan(30_000)
  })
})

describe('a path that is a full address', () => {
  const clientAuth = { type: 'bearer', token: 'client-token-1' } as const
  async function both() {
    const other = await api((request, response, url) => {
      if (url.pathname === '/away') return json(response, { items: [{ id: 9 }], next: 'http://127.0.0.2:1/x' })
      json(response, [{ id: 1, auth: request.headers.authorization ?? '', key: request.headers['x-key'] ?? '' }])
    })
    const own = await api((request, response) =>
      json(response, [{ id: 2, auth: request.headers.authorization ?? '', key: request.headers['x-key'] ?? '' }]),
    )
    return { own, other }
  }

  it('is asked without the credentials of the client', async () => {
    const { own, other } = await both()
    process.env.SOURCES__S__X_KEY = 'header-secret-1'
    const { rows } = await load(
      own,
      [
        { name: 'here', endpoint: single },
        { name: 'there', endpoint: { ...single, path: `${other.baseUrl}/list` } },
      ],
      { auth: clientAuth, headers: { 'X-Key': secret('x_key') } },
    )
    expect(await rows('here')).toEqual([{ id: 2, auth: 'Bearer client-token-1', key: 'header-secret-1' }])
    expect(await rows('there')).toEqual([{ id: 1, auth: '', key: '' }])
  })

  it('is asked with the credentials and headers that the endpoint names', async () => {
    const { own, other } = await both()
    const auth = { type: 'bearer', token: 'endpoint-token-1' } as const
    const { rows } = await load(
      own,
      [{ name: 'there', endpoint: { ...single, path: `${other.baseUrl}/list`, auth, headers: { 'X-Key': 'k' } } }],
      { auth: clientAuth },
    )
    expect(await rows('there')).toEqual([{ id: 1, auth: 'Bearer endpoint-token-1', key: 'k' }])
  })

  it('does not open the way for links and hosts that come with data', async () => {
    const { own, other } = await both()
    const link = { dataSelector: 'items', paginator: { type: 'json_link', nextUrlPath: 'next' } } as const
    const linked = load(own, [{ name: 'there', endpoint: { ...link, path: `${other.baseUrl}/away` } }])
    await expect(linked).rejects.toMatchObject({ code: 'LINK_FORBIDDEN' })
    const host = new URL(other.baseUrl).host
    const fed = load(own, [
      { name: 'hosts', rows: [{ host }] },
      { name: 'there', endpoint: { ...single, path: 'http://{resources.hosts.host}/list' } },
    ])
    await expect(fed).rejects.toBeInstanceOf(PipelineError)
    expect(other.requests).toEqual(['GET /away'])
  })
})
