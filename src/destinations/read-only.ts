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
