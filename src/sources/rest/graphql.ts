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
  const [first] = errors as { message?: unknown; extensions?: unknown; type?: unknown }[]
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const said = `${String(first?.message ?? 'the query failed')}${more}`
  if (passes.test(JSON.stringify(first?.extensions ?? first?.type ?? ''))) return { fault: `an error: ${said}` }
  return { action: 'fail', message: said }
}

/** Codes of errors that another attempt may not meet. */
const passes = /throttl|rate.?limit|too.?many|time.?out|unavailable|internal/i

/** The nodes of the connection. */
export function connectionRows(spec: GraphqlSpec): RowSelector {
  const rows = (body: unknown): unknown[] => {
    const { nodes, edges } = connectionIn(spec, body)
    return nodes ?? edges?.map((edge) => edge.node) ?? []
  }
  return { place: spec.connectionPath ?? 'the connection', matched: true, at: rows, rows }
}

/** Goes on after `endCursor` while there is a next page. */
export function connectionPaginator(spec: GraphqlSpec): Paginator {
  const variable = `variables.${spec.afterVariable ?? 'after'}`
  return {
    first: () => undefined,
    next(request, { response }) {
      const [more, other] = connectionsIn(spec, response.body).filter(
        ({ connection }) => connection.pageInfo?.hasNextPage,
      )
      if (more === undefined) return false
      if (other !== undefined) throw several([more, other])
      const { endCursor } = more.connection.pageInfo!
      if (typeof endCursor !== 'string' && typeof endCursor !== 'number') {
        throw new PipelineError('paging: the connection has a next page, but no endCursor', {
          code: 'PAGING_UNKNOWN',
          fix: 'ask for pageInfo { hasNextPage endCursor } in the query',
        })
      }
      setBodyValue(request, variable, endCursor)
      return true
    },
  }
}

interface Found {
  path: string
  connection: Connection
}

/** The connection whose nodes are the rows. */
function connectionIn(spec: GraphqlSpec, body: unknown): Connection {
  const found = connectionsIn(spec, body)
  const [first, second] = found
  if (first === undefined) {
    throw new PipelineError('the answer to the query has no connection: nothing in it has nodes or edges', {
      code: 'SOURCE_INVALID',
      fix: 'ask for nodes and pageInfo { hasNextPage endCursor }, or say where the rows are with connectionPath or dataSelector',
    })
  }
  if (second !== undefined) throw several(found)
  return first.connection
}

function connectionsIn({ connectionPath }: GraphqlSpec, body: unknown): Found[] {
  if (connectionPath === undefined) return connections((body as { data?: unknown } | null)?.data, 'data', 0)
  const connection = jsonPath(connectionPath).first(body)
  return typeof connection === 'object' && connection !== null ? [{ path: connectionPath, connection }] : []
}

const several = (found: readonly Found[]): PipelineError =>
  new PipelineError(`the answer has several connections: ${found.map(({ path }) => path).join(', ')}`, {
    code: 'SOURCE_INVALID',
    fix: `say which one holds the rows: graphql.connectionPath: '${found[0]!.path}'`,
  })

/** Connections that are not inside of rows. */
function connections(value: unknown, path: string, depth: number): Found[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth > 6) return []
  const { nodes, edges } = value as Connection
  if (Array.isArray(nodes) || Array.isArray(edges)) return [{ path, connection: value }]
  return Object.entries(value).flatMap(([key, inner]) => connections(inner, `${path}.${key}`, depth + 1))
}
