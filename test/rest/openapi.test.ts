import { mkdtempSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadSourceFile, lintSource, readSourceSpec } from '../../src/sources/rest/index.ts'
import { ApiDocument, draftSource, readDocument, sourceFileText } from '../../src/sources/rest/openapi/index.ts'
import { api, freshPipeline, json } from '../support/api.ts'
import { rowsOf } from '../support/rest.ts'

type Schema = Record<string, unknown>
const text: Schema = { type: 'string' }
const whole: Schema = { type: 'integer' }
const object = (properties: Record<string, Schema>): Schema => ({ type: 'object', properties })
const listOf = (items: Schema): Schema => ({ type: 'array', items })
const query = (name: string, schema: Schema = text, more: Schema = {}): Schema => ({
  name,
  in: 'query',
  schema,
  ...more,
})
const inPath = (name: string, schema: Schema = text): Schema => ({ name, in: 'path', required: true, schema })
const get = (schema: Schema, parameters: Schema[] = [], headers: Schema = {}): Schema => ({
  get: { parameters, responses: { 200: { headers, content: { 'application/json': { schema } } } } },
})

const user = { $ref: '#/components/schemas/User' }
/** One API with every way that is looked for. */
const description = (server: string): Schema => ({
  openapi: '3.1.0',
  info: { title: 'The Shop REST API v2' },
  servers: [{ url: server }],
  security: [{ key: [] }],
  components: {
    securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'X-Key' }, web: { type: 'oauth2', flows: {} } },
    schemas: {
      User: { allOf: [{ $ref: '#/components/schemas/Base' }, object({ name: text, manager: user })] },
      Base: object({ id: whole, updated_at: text }),
    },
  },
  paths: {
    '/users': get(object({ data: listOf(user), next_cursor: text, meta: object({ tags: listOf(text) }) }), [
      query('cursor'),
      query('limit', { ...whole, maximum: 50 }),
      query('updated_since'),
    ]),
    '/users/{user_id}': get(user, [inPath('user_id', whole)]),
    '/users/{user_id}/orders': get(
      object({ orders: listOf(object({ order_id: whole })), page: whole, total_pages: whole }),
      [inPath('user_id', whole), query('page', { ...whole, default: 1 })],
    ),
    '/users/{user_id}/orders/{order_id}/lines': get(listOf(object({ sku: text })), [
      inPath('user_id', whole),
      inPath('order_id', whole),
    ]),
    '/issues': get(listOf(object({ id: whole })), [], { Link: { schema: text } }),
    '/things': get(object({ results: listOf(object({ uuid: text })), next: { type: ['string', 'null'] } })),
    '/charges': get(object({ data: listOf(object({ id: text })), has_more: { type: 'boolean' } }), [
      query('starting_after'),
    ]),
    '/rows': get(object({ items: listOf(object({ id: whole })), total: whole }), [
      query('offset', whole),
      query('limit', whole, { description: 'At most 200.' }),
    ]),
    '/teams/{team}/members': get(listOf(object({ id: whole })), [inPath('team')]),
    '/search': get(listOf(object({ id: whole })), [
      query('q', text, { required: true }),
      query('kind', { type: 'string', enum: ['a'] }, { required: true }),
    ]),
    '/me': get(object({ name: text })),
    '/untyped': get(object({ things: { type: 'object' }, next_cursor: text })),
    '/old': { get: { ...(get(listOf(user)).get as object), deprecated: true } },
    '/nothing': { get: { responses: { 204: {} } } },
    '/write': { post: { responses: {} }, delete: { responses: {} } },
  },
})

const draft = (server = 'https://api.shop.test/v2/') => draftSource(new ApiDocument(description(server), 'shop.json'))
const byName = () => new Map(draft().resources.map((one) => [one.name, one]))

describe('a source from an OpenAPI description', () => {
  it('its name, base URL and auth, and what is left out', () => {
    const { name, baseUrl, auth, leftOut, operations } = draft()
    expect({ name, baseUrl, auth, operations }).toEqual({
      name: 'shop',
      baseUrl: 'https://api.shop.test/v2',
      auth: { type: 'api_key', name: 'X-Key', api_key: { secret: 'api_key' } },
      operations: 16,
    })
    expect(Object.fromEntries(leftOut)).toEqual({
      'write, or are no GET': 2,
      'are deprecated': 1,
      'answer without rows': 1,
      'give one row of a list': 1,
    })
  })

  it.each<[string, object]>([
    [
      'users',
      {
        path: 'users',
        params: { limit: 50 },
        data_selector: 'data',
        paginator: { type: 'cursor', cursor_path: 'next_cursor', cursor_param: 'cursor' },
      },
    ],
    [
      'orders',
      {
        path: 'users/{resources.users.id}/orders',
        data_selector: 'orders',
        paginator: { type: 'page_number', base_page: 1, total_path: 'total_pages' },
      },
    ],
    ['lines', { path: 'users/{resources.users.id}/orders/{resources.orders.order_id}/lines', data_selector: '$' }],
    ['issues', { path: 'issues', data_selector: '$', paginator: { type: 'header_link' } }],
    ['things', { path: 'things', data_selector: 'results', paginator: { type: 'json_link', next_url_path: 'next' } }],
    [
      'charges',
      {
        path: 'charges',
        data_selector: 'data',
        paginator: {
          type: 'cursor',
          cursor_path: 'data[-1].id',
          cursor_param: 'starting_after',
          has_more_path: 'has_more',
        },
      },
    ],
    ['rows', { path: 'rows', data_selector: 'items', paginator: { type: 'offset', limit: 200, total_path: 'total' } }],
    ['members', { path: 'teams/{team}/members', params: { team: { config: 'team' } }, data_selector: '$' }],
    ['search', { path: 'search', params: { q: { config: 'q' }, kind: 'a' }, data_selector: '$' }],
    ['me', { path: 'me', data_selector: '$', paginator: 'single_page' }],
    // There are more pages, though the description does not tell of what.
    ['untyped', { path: 'untyped', data_selector: '$' }],
  ])('%s', (name, endpoint) => {
    expect(byName().get(name)!.endpoint).toEqual(endpoint)
  })

  it('keys, parents, needs and suggestions', () => {
    const found = byName()
    const keys = Object.fromEntries([...found].map(([name, { primaryKey }]) => [name, primaryKey]))
    expect(keys).toMatchObject({ users: 'id', orders: 'order_id', things: 'uuid', lines: undefined })
    expect(found.get('orders')).toMatchObject({ parent: { name: 'users', field: 'id' }, needs: [] })
    expect(found.get('search')).toMatchObject({ needs: ['q'] })
    expect(found.get('users')!.suggestion).toBe(
      "incremental: { cursor_path: updated_at, start_param: 'updated_since', initial_value: '2020-01-01T00:00:00Z' }",
    )
    expect(found.get('lines')!.missing).toHaveLength(2)
  })

  it('the file that is written loads, and loads the API', async () => {
    const target = await api((_request, response, url) => {
      if (url.pathname === '/users') return json(response, { data: [{ id: 1 }, { id: 2 }], next_cursor: '' })
      if (url.pathname.endsWith('orders')) return json(response, { orders: [{ order_id: 7 }], page: 1, total_pages: 1 })
      json(response, [])
    })
    const path = join(mkdtempSync(join(tmpdir(), 'sluice-openapi-')), 'shop.source.yaml')
    writeFileSync(path, sourceFileText(draft(target.baseUrl)))
    process.env.SOURCES__SHOP__API_KEY = 'shop-key-1234'
    const into = freshPipeline()
    await into
      .run(loadSourceFile(path).withResources('users', 'orders'))
      .finally(() => delete process.env.SOURCES__SHOP__API_KEY)
    expect(await rowsOf(into, 'orders')).toEqual([1, 2].map((id) => ({ order_id: 7, _users_id: id })))
    expect(target.headers[0]!['x-key']).toBe('shop-key-1234')
    expect(lintSource(readSourceSpec(path)).filter(({ level }) => level === 'error')).toEqual([])
  })

  it('Swagger 2: host, base path and types beside the names', () => {
    const swagger = {
      swagger: '2.0',
      info: { title: 'Old' },
      host: 'old.test',
      basePath: '/api',
      schemes: ['http', 'https'],
      securityDefinitions: {
        b: { type: 'apiKey', in: 'header', name: 'Authorization', description: 'Bearer <token>' },
      },
      paths: {
        '/cats': {
          get: {
            parameters: [{ name: 'page', in: 'query', type: 'integer' }],
            responses: { 200: { schema: { type: 'array', items: { properties: { id: { type: 'integer' } } } } } },
          },
        },
      },
    }
    const { baseUrl, auth, resources } = draftSource(new ApiDocument(swagger, 'old.json'))
    expect({ baseUrl, auth }).toEqual({
      baseUrl: 'https://old.test/api',
      auth: { type: 'bearer', token: { secret: 'token' } },
    })
    expect(resources[0]!.endpoint.paginator).toEqual({ type: 'page_number', base_page: 1, total_path: null })
  })

  it('references in circles, and to nowhere, end', () => {
    const circle = {
      openapi: '3.0.0',
      info: {},
      components: { schemas: { A: { $ref: '#/components/schemas/A' } } },
      paths: { '/a': get({ $ref: '#/components/schemas/A' }), '/b': get({ $ref: 'other.yaml#/B' }) },
    }
    expect(draftSource(new ApiDocument(circle, 'x')).resources).toEqual([])
  })

  it('what is no description is refused', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'sluice-openapi-')), 'x.json')
    writeFileSync(path, '{"name": "x"}')
    await expect(readDocument(path)).rejects.toThrow(/is no OpenAPI description/)
    writeFileSync(path, '{"openapi": ')
    await expect(readDocument(path)).rejects.toThrow(/neither JSON nor YAML/)
  })
})

describe('descriptions that companies publish', () => {
  const find = createRequire(import.meta.url).resolve
  const files = {
    figma: join(dirname(find('@figma/rest-api-spec/package.json')), 'openapi', 'openapi.yaml'),
    netlify: join(dirname(find('@netlify/open-api/package.json')), 'dist', 'swagger.json'),
    okta: join(dirname(find('@okta/openapi/package.json')), 'dist', 'spec.json'),
  }
  it.each([
    ['figma', 'https://api.figma.com', 'api_key', 37],
    ['netlify', 'https://api.netlify.com/api/v1', 'bearer', 57],
    ['okta', 'https://your-subdomain.okta.com', 'api_key', 80],
  ] as const)('%s', async (name, baseUrl, auth, resources) => {
    const made = draftSource(await readDocument(files[name]))
    const path = join(mkdtempSync(join(tmpdir(), 'sluice-openapi-')), `${made.name}.source.yaml`)
    writeFileSync(path, sourceFileText(made))
    const file = parse(sourceFileText(made)) as { client: { base_url: string; auth: { type: string } } }
    expect(file.client.base_url).toBe(baseUrl)
    expect(file.client.auth.type).toBe(auth)
    expect(loadSourceFile(path).resources.length).toBeGreaterThanOrEqual(resources)
    expect(lintSource(readSourceSpec(path)).filter(({ level }) => level === 'error')).toEqual([])
  })

  it('okta: groups, and what lies below them', async () => {
    const { resources } = draftSource(await readDocument(files.okta))
    expect(resources.find(({ name }) => name === 'groups')).toMatchObject({ primaryKey: 'id', isList: true })
    expect(
      resources.find(({ endpoint }) => endpoint.path === 'api/v1/groups/{resources.groups.id}/users'),
    ).toBeDefined()
  })
})
