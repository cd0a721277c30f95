import { describe, expect, it } from 'vitest'
import { api, json } from '../support/api.ts'
import { load } from '../support/rest.ts'

const query = `query ($owner: String!, $after: String) {
  repository(owner: $owner) { issues(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }
}`
const ids = [1, 2, 3, 4, 5]

/** Connections of five issues in pages of two. */
const graph = (shape: 'nodes' | 'edges' = 'nodes') =>
  api((_request, response, _url, body) => {
    const { variables } = JSON.parse(body) as { variables: { after?: string; owner: string } }
    const from = variables.after === undefined ? 0 : Number(variables.after)
    const part = ids.slice(from, from + 2).map((id) => ({ id, owner: variables.owner }))
    const rows = shape === 'nodes' ? { nodes: part } : { edges: part.map((node) => ({ node })) }
    const pageInfo = { hasNextPage: from + 2 < 5, endCursor: String(from + 2) }
    json(response, { data: { repository: { issues: { ...rows, pageInfo } } } })
  })

describe('GraphQL', () => {
  it.each(['nodes', 'edges'] as const)('pages of a connection, by its %s', async (shape) => {
    const target = await graph(shape)
    const { rows } = await load(target, [
      { name: 'issues', endpoint: { path: 'graphql', graphql: { query, variables: { owner: 'o' } } } },
    ])
    expect((await rows('issues')).map(({ id }) => Number(id))).toEqual(ids)
    expect(target.requests).toEqual(Array.from({ length: 3 }, () => 'POST /graphql'))
  })

  it('a selector of one’s own does not end the paging', async () => {
    const target = await graph()
    const endpoint = { path: 'graphql', graphql: { query }, dataSelector: 'data.repository.issues.nodes' }
    const { rows } = await load(target, [{ name: 'issues', endpoint }])
    expect(await rows('issues')).toHaveLength(5)
  })

  it('a query without a connection, by a selector', async () => {
    const target = await api((_request, response) => json(response, { data: { viewer: { name: 'x' } } }))
    const endpoint = { path: 'graphql', graphql: { query }, dataSelector: 'data.viewer' }
    const { rows } = await load(target, [{ name: 'me', endpoint }])
    expect(await rows('me')).toEqual([{ name: 'x' }])
  })

  it('a variable from the parent', async () => {
    const target = await graph()
    const { rows } = await load(target, [
      { name: 'owners', rows: ['a', 'b'] },
      {
        name: 'issues',
        endpoint: { path: 'graphql', graphql: { query, variables: { owner: '{resources.owners.value}' } } },
      },
    ])
    expect((await rows('issues')).map(({ owner }) => owner).sort()).toEqual(
      [...Array(5).fill('a'), ...Array(5).fill('b')].sort(),
    )
  })

  it.each([
    [
      'errors with status 200',
      { data: null, errors: [{ message: 'Field x does not exist' }, {}] },
      /Field x does not exist \(and 1 more\)/,
    ],
    ['no connection', { data: { viewer: { name: 'x' } } }, /has no connection/],
    ['two connections', { data: { a: { nodes: [] }, b: { edges: [] } } }, /several connections: data\.a, data\.b/],
    ['no cursor', { data: { a: { nodes: [{ id: 1 }], pageInfo: { hasNextPage: true } } } }, /no endCursor/],
  ])('%s', async (_what, answer, message) => {
    const target = await api((_request, response) => json(response, answer))
    await expect(load(target, [{ name: 'q', endpoint: { path: 'graphql', graphql: { query } } }])).rejects.toThrow(
      message,
    )
  })
})
