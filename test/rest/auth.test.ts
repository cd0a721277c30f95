import { expect, it } from 'vitest'
import { restSource, type AuthSpec } from '../../src/sources/rest/index.ts'
import { api, freshPipeline, json } from '../support/api.ts'

const basic = `Basic ${Buffer.from('user:pass-word').toString('base64')}`

it.each<[string, AuthSpec, Record<string, string>, string]>([
  ['bearer', { type: 'bearer', token: 'secret-1' }, { authorization: 'Bearer secret-1' }, '/rows'],
  ['basic', { type: 'http_basic', username: 'user', password: 'pass-word' }, { authorization: basic }, '/rows'],
  ['a key in a header', { type: 'api_key', name: 'X-Key', apiKey: 'secret-1' }, { 'x-key': 'secret-1' }, '/rows'],
  [
    'a scheme of its own',
    { type: 'api_key', scheme: 'Chatra.Simple', apiKey: 'PUB:SEC' },
    { authorization: 'Chatra.Simple PUB:SEC' },
    '/rows',
  ],
  [
    'a key in the query',
    { type: 'api_key', name: 'api_key', location: 'query', apiKey: 'secret-1' },
    {},
    '/rows?api_key=secret-1',
  ],
  [
    'a key in a cookie',
    { type: 'api_key', name: 'sid', location: 'cookie', apiKey: 'secret-1' },
    { cookie: 'sid=secret-1' },
    '/rows',
  ],
])('auth: %s', async (_name, auth, headers, path) => {
  const target = await api((_request, response) => json(response, [{ id: 1 }]))
  const source = restSource({ name: 's', client: { baseUrl: target.baseUrl, auth }, resources: ['rows'] })
  await freshPipeline().run(source)
  expect(target.requests).toEqual([`GET ${path}`])
  expect(target.headers[0]).toMatchObject(headers)
})

it('auth: a key traded for a token, once for all, and again when the token is refused', async () => {
  let tokens = 0
  const target = await api((request, response, url) => {
    if (url.pathname === '/jwt')
      return json(response, url.searchParams.get('key') === 'secret-1' ? { jwt: `token-${++tokens}` } : {})
    // The first token is good for one request only.
    const good = tokens > 1 || target.requests.filter((one) => !one.includes('/jwt')).length === 1
    const known = request.headers.authorization === `Bearer token-${tokens}`
    json(response, good && known ? [{ id: 1 }] : { message: 'expired' }, good && known ? 200 : 401)
  })
  const source = restSource({
    name: 's',
    client: {
      baseUrl: target.baseUrl,
      concurrency: 1,
      auth: { type: 'jwt_exchange', url: 'jwt', params: { key: 'secret-1' } },
    },
    resources: ['rows', { name: 'more', endpoint: 'more/{resources.rows.id}' }],
  })
  await freshPipeline().run(source)
  expect(target.requests).toEqual([
    'GET /jwt?key=secret-1',
    'GET /rows',
    'GET /more/1',
    'GET /jwt?key=secret-1',
    'GET /more/1',
  ])
})
