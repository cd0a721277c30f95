import { describe, expect, it } from 'vitest'
import { PipelineError } from '../../src/errors/index.ts'
import { secret } from '../../src/config/index.ts'
import { restSource } from '../../src/sources/rest/index.ts'
import type { ClientSpec, EndpointSpec } from '../../src/sources/rest/spec.ts'
import { api, freshPipeline, json, type TestApi } from '../support/api.ts'
import { effort } from '../support/effort.ts'
import { load } from '../support/rest.ts'
import { randomFrom } from '../support/seed.ts'

const random = randomFrom()
const oneOf = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
const alphabet = 'abcdefXYZ0123456789-_ ./+=&%:é"'
const aSecret = (): string =>
  `S${Array.from({ length: oneOf([8, 20, 40]) }, () => oneOf([...alphabet])).join('')}E`.replaceAll(/\s/g, '_')

/** Where a source puts a secret. */
const places: Record<string, (value: unknown) => { endpoint?: EndpointSpec; client?: Partial<ClientSpec> }> = {
  params: (value) => ({ endpoint: { params: { key: value } } }),
  path: (value) => ({ endpoint: { params: { key: value } } }),
  json: (value) => ({ endpoint: { method: 'POST', json: { key: value } } }),
  'client header': (value) => ({ client: { headers: { 'x-key': value as never } } }),
  'other client header': (value) => ({ client: { headers: { accept: value as never } } }),
  bearer: (value) => ({ client: { auth: { type: 'bearer', token: value as never } } }),
  'query key': (value) => ({
    client: { auth: { type: 'api_key', name: 'k', location: 'query', apiKey: value as never } },
  }),
  cookie: (value) => ({ client: { auth: { type: 'api_key', name: 'k', location: 'cookie', apiKey: value as never } } }),
}

/** How requests come to lead to another host. */
const ways: Record<string, (other: string) => Partial<EndpointSpec>> = {
  'next link': () => ({ paginator: { type: 'json_link', nextUrlPath: 'next' }, dataSelector: 'items' }),
  redirect: () => ({ paginator: 'single_page', dataSelector: 'items' }),
  'full address': (other) => ({ path: `${other}/direct`, paginator: 'single_page', dataSelector: 'items' }),
}

/** Another host, which keeps all that it gets. */
async function collector(): Promise<TestApi & { got: () => string }> {
  const bodies: string[] = []
  const made = await api((_request, response, _url, body) => {
    bodies.push(body)
    json(response, { items: [{ id: 2 }] })
  })
  return { ...made, got: () => [...made.requests, ...bodies, JSON.stringify(made.headers)].join('\n') }
}

const spellings = (text: string): string[] => [
  text,
  encodeURIComponent(text),
  new URLSearchParams({ a: text }).toString().slice(2),
  JSON.stringify(text).slice(1, -1),
  Buffer.from(text).toString('base64'),
  Buffer.from(text).toString('latin1'),
]

describe('a secret goes to no other origin than the one of its API', () => {
  for (const way of Object.keys(ways))
    it(`by a ${way}`, async () => {
      for (let round = 0; round < effort(8, 400); round++) {
        const value = aSecret()
        process.env.SOURCES__S__PLANTED = value
        const place = oneOf(Object.keys(places))
        const status = oneOf([301, 302, 303, 307, 308])
        const echoes = random() < 0.3
        const other = await collector()
        const own = await api((_request, response, url) => {
          const link = `${other.baseUrl}/next${echoes ? `?of=${encodeURIComponent(value)}` : '?page=2'}`
          if (way === 'redirect') return void response.writeHead(status, { location: link }).end()
          json(response, { items: [{ id: 1, asked: url.pathname }], next: link })
        })
        const { endpoint = {}, client = {} } = places[place]!(secret('planted'))
        const path = place === 'path' ? 'list/{key}' : 'list'
        const outcome = await load(
          own,
          [{ name: 'items', endpoint: { path, ...endpoint, ...ways[way]!(other.baseUrl) } }],
          { ...client, allowedHosts: [new URL(other.baseUrl).host], maxAttempts: 1 },
        ).catch((error: unknown) => error)
        const what = `${way} ${place} ${status} ${JSON.stringify(value)}`
        if (outcome instanceof PipelineError)
          expect(outcome.code, `${what}: ${outcome.message}`).toMatch(/^(HOST_NOT_ALLOWED|LINK_FORBIDDEN)$/)
        else expect(outcome, String(outcome)).not.toBeInstanceOf(Error)
        for (const spelling of spellings(value)) expect(other.got(), what).not.toContain(spelling)
      }
    })

  it.each([301, 302, 303, 307, 308])('by a login that is redirected with %i', async (status) => {
    const other = await collector()
    const own = await api((request, response) => {
      if (request.url === '/token') response.writeHead(status, { location: `${other.baseUrl}/token` }).end()
      else json(response, [{ id: 1 }])
    })
    const auth = { type: 'oauth2_client_credentials', accessTokenUrl: `${own.baseUrl}/token` } as const
    const asked = load(own, [{ name: 'items', endpoint: { paginator: 'single_page' } }], {
      auth: { ...auth, clientId: 'client-1', clientSecret: 'planted-secret-1' },
      allowedHosts: [new URL(other.baseUrl).host],
    })
    await expect(asked).rejects.toMatchObject({ code: 'LINK_FORBIDDEN' })
    expect(other.requests).toEqual([])
  })

  it('except where an endpoint with a full address has its own auth; that of the defaults stays', async () => {
    process.env.SOURCES__S__PLANTED = 'planted-secret-2'
    const [own, other] = [await api((_request, response) => json(response, [{ id: 1 }])), await collector()]
    const auth = { type: 'bearer', token: secret('planted') } as const
    const path = `${other.baseUrl}/direct`
    await load(own, [{ name: 'items', endpoint: { path, paginator: 'single_page', auth } }])
    expect(other.headers[0]!.authorization).toBe('Bearer planted-secret-2')
    const source = restSource({
      name: 's',
      client: { baseUrl: own.baseUrl },
      resourceDefaults: { endpoint: { auth, paginator: 'single_page' } },
      resources: ['here', { name: 'there', endpoint: { path } }],
    })
    await freshPipeline().run(source)
    expect(own.headers.at(-1)!.authorization).toBe('Bearer planted-secret-2')
    expect(other.headers[1]).not.toHaveProperty('authorization')
  })
})
