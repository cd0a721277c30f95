import { columnsWith, rootOf, system, typedColumns, type Column } from '../../schema/index.ts'
import type { Catalog, RowObject, SqlConnection } from '../destination.ts'
import { updateMatching } from './row-changes.ts'
import type { SqlNames } from './statements.ts'

/** The tables of a dataset, as the database keeps their names. */
export async function tableNames(
  connection: SqlConnection,
  sql: SqlNames,
  dataset: string,
): Promise<Set<string> | undefined> {
  if (connection.tableNames !== undefined) {
    const names = await connection.tableNames(dataset)
    return names === undefined ? undefined : new Set(names)
  }
  const stored = sql.dialect.storedName?.(dataset) ?? dataset
  const rows = await connection.rows(sql.dialect.listTables ?? listTables, [stored])
  if (rows.length > 0) return new Set(rows.map((row) => String(row.name)))
  const found = await connection.rows(sql.dialect.findSchema ?? findSchema, [stored])
  return found.length > 0 ? new Set() : undefined
}

const listTables =
  'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1 AND table_catalog = current_database()'
const findSchema =
  'SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name = $1 AND catalog_name = current_database()'

function columnsOf(connection: SqlConnection, sql: SqlNames, dataset: string): Promise<RowObject[]> {
  if (connection.columns !== undefined) return connection.columns(dataset)
  return connection.rows(sql.dialect.listColumns!, [sql.dialect.storedName?.(dataset) ?? dataset])
}

/** Tables through `information_schema` and plain DDL. */
export function sqlCatalog(connection: SqlConnection, sql: SqlNames, dataset: string): Catalog {
  const define = (column: Column, withNotNull: boolean): string => {
    const notNull = withNotNull && column.nullable === false ? ' NOT NULL' : ''
    const options = withNotNull ? (sql.dialect.columnOptions?.(column) ?? '') : ''
    return `${sql.column(column.name)} ${sql.dialect.typeName(column)}${notNull}${options}`
  }
  const requiredColumns = async (table: string): Promise<Set<string>> => {
    const { dialect } = sql
    const stored = (name: string): string => dialect.storedName?.(name) ?? name
    const rows =
      dialect.requiredColumns === undefined
        ? await connection.rows(
            'SELECT column_name AS name FROM information_schema.columns ' +
              "WHERE table_schema = $1 AND table_name = $2 AND table_catalog = current_database() AND is_nullable = 'NO'",
            [stored(dataset), stored(table)],
          )
        : await connection.rows(dialect.requiredColumns(dataset, table))
    // Names that the database keeps in upper case are ours in lower case.
    return new Set(
      rows.map((row) => (dialect.storedName === undefined ? String(row.name) : String(row.name).toLowerCase())),
    )
  }
  return {
    typeName: (column) => sql.dialect.typeName(column),

    async tables() {
      const rows = await columnsOf(connection, sql, dataset)
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
      const options = sql.dialect.tableOptions?.(table) ?? ''
      await connection.run(`CREATE TABLE ${sql.table(table.name)} (${columns.join(', ')})${options}`)
    },

    async addColumns(table, columns) {
      // Stored rows have no value for a new column, so it cannot be NOT NULL.
      const definitions = columns.map((column) => define(column, false))
      const oneByOne = definitions.map((definition) => `ALTER TABLE ${sql.table(table.name)} ADD COLUMN ${definition}`)
      const statements = sql.dialect.addColumns?.(sql.table(table.name), definitions) ?? oneByOne
      for (const statement of statements) await connection.run(statement)
    },

    async changeType(table, column) {
      const [name, type] = [sql.column(column.name), sql.dialect.typeName(column)]
      const plain = [`ALTER TABLE ${sql.table(table.name)} ALTER COLUMN ${name} TYPE ${type}`]
      const statements = sql.dialect.changeType?.(sql.table(table.name), column, table) ?? plain
      for (const statement of statements) await connection.run(statement)
    },

    async allowNull(table, columns) {
      const required = await requiredColumns(table.name)
      const quoted = sql.table(table.name)
      for (const column of columns.filter(({ name }) => required.has(name))) {
        const plain = [`ALTER TABLE ${quoted} ALTER COLUMN ${sql.column(column.name)} DROP NOT NULL`]
        for (const statement of sql.dialect.allowNull?.(quoted, column) ?? plain) await connection.run(statement)
      }
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
        updateMatching(sql, {
          table: table.name,
          source: sql.table(parent.name),
          match: { [system.parentId]: system.id },
          set: { [system.rootId]: key },
        }),
      )
    },
  }
}
