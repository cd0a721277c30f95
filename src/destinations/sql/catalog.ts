import { columnsWith, rootOf, system, typedColumns, type Column } from '../../schema/index.ts'
import type { Catalog, SqlConnection } from '../destination.ts'
import type { SqlNames } from './statements.ts'

/** Tables through `information_schema` and plain DDL. */
export function sqlCatalog(connection: SqlConnection, sql: SqlNames, dataset: string): Catalog {
  const define = (column: Column, withNotNull: boolean): string => {
    const notNull = withNotNull && column.nullable === false ? ' NOT NULL' : ''
    const options = withNotNull ? (sql.dialect.columnOptions?.(column) ?? '') : ''
    return `${sql.column(column.name)} ${sql.dialect.typeName(column)}${notNull}${options}`
  }
  return {
    typeName: (column) => sql.dialect.typeName(column),

    async tables() {
      const rows = await connection.rows(sql.dialect.listColumns, [sql.dialect.storedName?.(dataset) ?? dataset])
      const tables = new Map<string, Map<string, string>>()
      for (const row of rows) {
        const name = String(row.table_name)
        const columns = tables.get(name) ?? new Map<string, string>()
        columns.set(String(row.column_name), String(row.data_type))
        tables.set(name, columns)
      }
      return tables
    },

    async createTable(table) {
      const columns = typedColumns(table).map((column) => define(column, true))
      await connection.run(`CREATE TABLE ${sql.table(table.name)} (${columns.join(', ')})`)
    },

    async addColumns(table, columns) {
      for (const column of columns) {
        // Stored rows have no value for a new column, so it cannot be NOT NULL.
        await connection.run(`ALTER TABLE ${sql.table(table.name)} ADD COLUMN ${define(column, false)}`)
      }
    },

    async changeType(table, column) {
      const [name, type] = [sql.column(column.name), sql.dialect.typeName(column)]
      const plain = [`ALTER TABLE ${sql.table(table.name)} ALTER COLUMN ${name} TYPE ${type}`]
      const statements = sql.dialect.changeType?.(sql.table(table.name), column) ?? plain
      for (const statement of statements) await connection.run(statement)
    },

    async dropTable(table) {
      await connection.run(`DROP TABLE IF EXISTS ${sql.table(table)}`)
    },

    async fillRootIds(schema, table) {
      const parent = schema.tables.get(table.parent!)!
      // One level down, the parent is the root; further down the parent already has the root's id.
      const key = rootOf(schema, table) === parent ? system.id : system.rootId
      if (key === system.rootId && columnsWith(parent, 'rootKey').length === 0) return
      await connection.run(
        `UPDATE ${sql.table(table.name)} SET ${sql.column(system.rootId)} = parent.${sql.column(key)} FROM ${sql.table(parent.name)} AS parent ` +
          `WHERE ${sql.table(table.name)}.${sql.column(system.parentId)} = parent.${sql.column(system.id)}`,
      )
    },
  }
}
