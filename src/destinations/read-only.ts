import { PipelineError } from '../errors/index.ts'
import type { SqlConnection } from './destination.ts'

/**
 * For a connection whose `query` is safe by itself: rows come that way too, and there is nothing else. `functions` are not to
 * be called, wherever in a query they stand.
 */
export function onlyQueries(connection: SqlConnection, functions: readonly string[] = []): SqlConnection {
  const { exactRows: _, ...others } = connection
  const query: SqlConnection['query'] = async (sql, values, options) => {
    refuseFunctions(sql, functions)
    return connection.query(sql, values, options)
  }
  return {
    ...others,
    query,
    rows: async (sql, values) => (await Array.fromAsync((await query(sql, values)).pages)).flat(),
    async run() {
      throw onlyToLook()
    },
  }
}

export const onlyToLook = (): PipelineError =>
  new PipelineError('this connection is only to look', {
    code: 'READ_ONLY',
    fix: 'load with a pipeline that is not opened read-only',
  })

/**
 * A call counts wherever it stands, in texts and comments too: what is a text differs from database to database, and a name
 * that was read past would be called. A table or a column may have the name.
 */
export function refuseFunctions(sql: string, functions: readonly string[]): void {
  if (functions.length === 0) return
  if (/\bU&["']/i.test(sql))
    throw noQuery('names written in code points cannot be read here', 'write names as they are')
  const names = functions.map((name) => name.replaceAll('$', '\\$').replaceAll('*', '[\\w$]*')).join('|')
  const [, found] = new RegExp(`(?<![\\w$])(${names})["\`]?\\s*(?:\\(|/\\*|--)`, 'i').exec(sql) ?? []
  if (found === undefined) return
  throw noQuery(`${found}() does more than to look`, 'ask the tables for it')
}

/**
 * The text of one query, for databases that have no way to refuse the rest: it begins like a query, and nothing can follow.
 * A semicolon counts wherever it stands, because what is a text differs from database to database.
 */
export function oneQuery(sql: string): string {
  const text = sql.replace(/(?<![;\s])[;\s]+$/, '')
  const start = text.replace(/^(\s|\(|--[^\n]*\n|\/\*.*?\*\/)+/s, '')
  if (!/^(select|with)\b/i.test(start)) throw noQuery('what is asked is no query', 'begin it with SELECT or WITH')
  if (/;|->>/.test(text)) throw noQuery('only one query can be asked', 'write a semicolon in a text as CHR(59)')
  return text
}

const noQuery = (message: string, fix: string): PipelineError => new PipelineError(message, { code: 'READ_ONLY', fix })
