import { PipelineError } from '../../errors/index.ts'
import { jsonPath } from '../../extract/index.ts'
import type { Paginator } from './paginate/index.ts'
import { setBodyValue } from './request.ts'
import type { Judge } from './response-actions.ts'
import type { RowSelector } from './select.ts'
import type { GraphqlSpec } from './spec.ts'

/** The parts of a connection, as the Relay specification names them. */
interface Connection {
  nodes?: unknown[]
  edges?: { node?: unknown }[]
  pageInfo?: { hasNextPage?: boolean; endCursor?: unknown }
}

export const graphqlBody = ({ query }: GraphqlSpec, variables: unknown): Record<string, unknown> => ({
  query,
  variables,
})

/** Answers with status 200 whose body says that the query failed. */
export const graphqlErrors: Judge = ({ status, body }) => {
  const errors = (body as { errors?: unknown } | null | undefined)?.errors
  if (status >= 400 || !Array.isArray(errors) || errors.length === 0) return undefined
  const [first] = errors as { message?: unknown }[]
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  return { action: 'fail', message: `${String(first?.message ?? 'the query failed')}${more}` }
}

/** The nodes of the connection. */
export const connectionRows = (spec: GraphqlSpec): RowSelector => ({
  place: spec.connectionPath ?? 'the connection',
  matched: true,
  rows(body) {
    const { nodes, edges } = connectionIn(spec, body) ?? {}
    return nodes ?? edges?.map((edge) => edge.node) ?? []
  },
})

/** Goes on after `endCursor` while there is a next page. */
export function connectionPaginator(spec: GraphqlSpec): Paginator {
  const variable = `variables.${spec.afterVariable ?? 'after'}`
  return {
    first: () => undefined,
    next(request, { response }) {
      const info = connectionIn(spec, response.body)?.pageInfo
      if (info?.hasNextPage !== true) return false
      if (typeof info.endCursor !== 'string' && typeof info.endCursor !== 'number') {
        throw new PipelineError('paging: the connection has a next page, but no endCursor', {
          code: 'PAGING_UNKNOWN',
          fix: 'ask for pageInfo { hasNextPage endCursor } in the query',
        })
      }
      setBodyValue(request, variable, info.endCursor)
      return true
    },
  }
}

function connectionIn({ connectionPath }: GraphqlSpec, body: unknown): Connection | undefined {
  if (connectionPath !== undefined) return jsonPath(connectionPath).first(body) as Connection | undefined
  const found = connections((body as { data?: unknown } | null)?.data, 'data', 0)
  const [first, second] = found
  if (first === undefined) {
    throw new PipelineError('the answer to the query has no connection: nothing in it has nodes or edges', {
      code: 'SOURCE_INVALID',
      fix: 'ask for nodes and pageInfo { hasNextPage endCursor }, or say where the rows are with connectionPath',
    })
  }
  if (second === undefined) return first.connection
  throw new PipelineError(`the answer has several connections: ${found.map((one) => one.path).join(', ')}`, {
    code: 'SOURCE_INVALID',
    fix: `say which one holds the rows: graphql.connectionPath: '${first.path}'`,
  })
}

/** Connections that are not inside of rows. */
function connections(value: unknown, path: string, depth: number): { path: string; connection: Connection }[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > 6) return []
  const { nodes, edges } = value as Connection
  if (Array.isArray(nodes) || Array.isArray(edges)) return [{ path, connection: value }]
  return Object.entries(value).flatMap(([key, inner]) => connections(inner, `${path}.${key}`, depth + 1))
}
