import { afterEach, describe, expect, it, vi } from 'vitest'
import { secret } from '../../src/index.ts'
import { api, json } from '../support/api.ts'
import { load } from '../support/rest.ts'

afterEach(() => vi.unstubAllEnvs())

describe('a reference is looked up wherever it is', () => {
  // Braces in a secret are no placeholder.
  const value = 'k{resources.other.id}-7Q'
  it.each([
    ['a header', { headers: { 'X-Key': secret('my_key') } }, 'x-key: VALUE'],
    ['a parameter', { params: { key: secret('my_key') } }, '?key=VALUE'],
    ['a list of a parameter', { params: { key: [secret('my_key'), 'b'] } }, '?key=VALUE&key=b'],
    ['the path', { path: 'items/{key}', params: { key: secret('my_key') } }, '/items/VALUE'],
    ['JSON', { method: 'POST', json: { a: [{ key: secret('my_key') }] } }, '{"a":[{"key":"VALUE"}]}'],
    ['a form', { method: 'POST', data: { key: secret('my_key') } }, 'key=VALUE'],
    [
      'a variable of GraphQL',
      { graphql: { query: 'q', variables: { a: { key: secret('my_key') } } } },
      '"a":{"key":"VALUE"}',
    ],
  ])('%s', async (_name, endpoint, expected) => {
    vi.stubEnv('SOURCES__S__MY_KEY', value)
    let seen = ''
    const target = await api((request, response, _url, body) => {
      const headers = Object.entries(request.headers).map(([name, one]) => `${name}: ${String(one)}`)
      seen = [request.url!, ...headers, body].map((text) => `${text}\n${decodeURIComponent(text)}`).join('\n')
      json(response, { data: { items: { nodes: [{ id: 1 }], pageInfo: { hasNextPage: false } } } })
    })
    const spec = { dataSelector: 'data.items.nodes', paginator: 'single_page', path: 'items', ...endpoint }
    await load(target, [{ name: 'items', endpoint: spec }] as never)
    expect(seen).toContain(expected.replace('VALUE', value))
    expect(seen).not.toMatch(/object Object|<secret/)
  })
})
