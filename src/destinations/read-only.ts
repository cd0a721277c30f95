import { PipelineError } from '../errors/index.ts'
import type { SqlConnection } from './destination.ts'

/** For a connection whose `query` is safe by itself: rows come that way too, and there is nothing else. */
export function onlyQueries(connection: SqlConnection): SqlConnection {
  const { exactRows: _, ...others } = connection
  return {
    ...others,
    rows: async (sql, values) => (await Array.fromAsync((await connection.query(sql, values)).pages)).flat(),
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
 * The text of one query, for databases that have no way to refuse the rest: it begins like a query, and nothing can follow.
 * A semicolon counts wherever it stands, because what is a text differs from database to database.
 */
export function oneQuery(sql: string): string {
  const text = sql.replace(/[;\s]+$/, '')
  const start = text.replace(/^(\s|\(|--[^\n]*\n|\/\*.*?\*\/)+/s, '')
  if (!/^(select|with)\b/i.test(start)) throw noQuery('what is asked is no query', 'begin it with SELECT or WITH')
  if (/;|->>/.test(text)) throw noQuery('only one query can be asked', 'write a semicolon in a text as CHR(59)')
  return text
}

const noQuery = (message: string, fix: string): PipelineError => new PipelineError(message, { code: 'READ_ONLY', fix })
