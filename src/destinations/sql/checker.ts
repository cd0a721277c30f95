import { system, typedColumns, type Check } from '../../schema/index.ts'
import type { Checker, SqlConnection } from '../destination.ts'
import { deleteWhere } from './row-changes.ts'
import { alias, type SqlNames } from './statements.ts'

/** Checks on the rows of one load, inside its transaction. */
export function sqlChecker(connection: SqlConnection, sql: SqlNames): Checker {
  const { literal } = sql.dialect
  const count = async (query: string): Promise<number> => Number((await connection.rows(query))[0]?.n ?? 0)

  /** The rows of a load that a check refuses. */
  function refused(table: string, check: Check, loadId: string): string {
    const mine = `${sql.column(system.loadId)} = ${literal(loadId)}`
    switch (check.type) {
      case 'not_null':
        return `${mine} AND ${sql.column(check.column)} IS NULL`
      case 'accepted': {
        const values = check.values.map((value) => (typeof value === 'string' ? literal(value) : String(value)))
        return `${mine} AND ${sql.column(check.column)} IS NOT NULL AND ${sql.column(check.column)} NOT IN (${values.join(', ')})`
      }
      case 'unique': {
        const id = sql.column(system.id)
        const complete = check.columns.map((name) => `${sql.column(name)} IS NOT NULL`).join(' AND ')
        const counted = `SELECT ${id}, COUNT(*) OVER (PARTITION BY ${sql.columns(check.columns)}) AS _sluice_count FROM ${sql.table(table)} WHERE ${complete}`
        return `${mine} AND ${id} IN (SELECT ${id} FROM (${counted}) AS ${alias.result} WHERE _sluice_count > 1)`
      }
      default:
        return mine
    }
  }

  return {
    rowCount: (table) => count(`SELECT COUNT(*) AS n FROM ${sql.table(table)}`),

    async failing(table, check, loadId) {
      const from = `FROM ${sql.table(table)} WHERE ${refused(table, check, loadId)}`
      switch (check.type) {
        case 'row_count': {
          const rows = await count(`SELECT COUNT(*) AS n ${from}`)
          return rows < (check.min ?? 0) || rows > (check.max ?? Infinity) ? 1 : 0
        }
        case 'freshness': {
          const limit = new Date(Date.now() - check.maxAgeSeconds * 1000).toISOString()
          const fresh = `${sql.column(check.column)} >= ${sql.dialect.timestampLiteral(limit)}`
          return (await count(`SELECT COUNT(*) AS n ${from} AND ${fresh}`)) === 0 ? 1 : 0
        }
        case 'sql': {
          const query = check.query.replaceAll('{table}', sql.table(table)).replaceAll('{load_id}', literal(loadId))
          return count(`SELECT COUNT(*) AS n FROM (${query}) AS ${alias.result}`)
        }
        default:
          return count(`SELECT COUNT(*) AS n ${from}`)
      }
    },

    async setAside(table, check, loadId, reason) {
      const where = refused(table.name, check, loadId)
      const quarantine = sql.table(`${table.name}_quarantine`)
      await connection.run(
        `INSERT INTO ${quarantine} (${sql.columns(['table_name', 'reason', 'row', 'quarantined_at', system.loadId, system.id])}) ` +
          `SELECT ${literal(table.name)}, ${literal(reason)}, ${sql.dialect.rowAsJson(alias.stored, typedColumns(table))}, ${sql.dialect.timestampLiteral(new Date().toISOString())}, ` +
          `${alias.stored}.${sql.column(system.loadId)}, ${alias.stored}.${sql.column(system.id)} FROM (SELECT * FROM ${sql.table(table.name)} WHERE ${where}) AS ${alias.stored}`,
      )
      await connection.run(deleteWhere(sql, table.name, where))
    },

    async removeOrphans(nested) {
      const parents = `SELECT ${sql.column(system.id)} FROM ${sql.table(nested.parent!)}`
      await connection.run(deleteWhere(sql, nested.name, `${sql.column(system.parentId)} NOT IN (${parents})`))
    },
  }
}
