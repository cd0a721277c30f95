import { system, typedColumns, type Table } from '../../schema/index.ts'
import type { Capabilities } from '../capabilities.ts'
import type {
  Destination,
  DestinationTarget,
  Loader,
  LoadFile,
  LoadTransaction,
  SqlConnection,
  SqlDialect,
} from '../destination.ts'
import { sqlCatalog } from './catalog.ts'
import { sqlChecker } from './checker.ts'
import { createSystemTables, sqlLedger, sqlLedgerWriter } from './ledger.ts'
import { sqlPublisher } from './publisher.ts'
import { sqlNames, type SqlNames } from './statements.ts'

/** What one SQL database brings; everything else is written once, here and beside this file. */
export interface SqlDestinationParts {
  name: string
  capabilities: Capabilities
  dialect: SqlDialect
  connect(target: DestinationTarget): Promise<{ connection: SqlConnection; location: string }>
  /** The fast path: rows of files with equal columns → `INSERT INTO into`, selecting `selection` per file column. */
  bulkLoad(connection: SqlConnection, load: BulkLoad): Promise<void>
}

export interface BulkLoad {
  /** Quoted name of the table to fill. */
  into: string
  /** Its columns, in the order of the values. */
  columns: readonly string[]
  files: readonly string[]
  /** Name in the file and type to read it as, in the order of the cells. */
  cells: readonly { name: string; type: string }[]
  /** One SQL expression a column. */
  values: readonly string[]
  /** Bytes of the longest line. */
  longestLine: number
}

export function sqlDestination(parts: SqlDestinationParts): Destination {
  return {
    name: parts.name,
    capabilities: parts.capabilities,
    async open(target) {
      const { connection, location } = await parts.connect(target)
      const sql = sqlNames(parts.dialect, target.dataset)
      const exists = async (table: string): Promise<boolean> => {
        const found = await connection.rows(
          'SELECT 1 FROM information_schema.tables WHERE table_schema = $1 AND table_name = $2 AND table_catalog = current_database()',
          [target.dataset, table],
        )
        return found.length > 0
      }
      return {
        location,
        ledger: sqlLedger(connection, sql, exists),
        reader: {
          rows: (statement) => connection.rows(statement),
          stream: (statement) => connection.stream(statement),
          tableName: sql.table,
          quote: sql.column,
        },
        async transaction(work) {
          await connection.run('BEGIN TRANSACTION')
          try {
            await createSystemTables(connection, sql, target.dataset)
            const result = await work(loadTransaction(parts, connection, sql, target))
            await connection.run('COMMIT')
            return result
          } catch (error) {
            // The connection may be gone; the first error is the one to tell.
            await connection.run('ROLLBACK').catch(() => undefined)
            throw error
          }
        },
        [Symbol.asyncDispose]: () => connection.close(),
      }
    },
  }
}

function loadTransaction(
  parts: SqlDestinationParts,
  connection: SqlConnection,
  sql: SqlNames,
  target: DestinationTarget,
): LoadTransaction {
  return {
    capabilities: parts.capabilities,
    catalog: sqlCatalog(connection, sql, target.dataset),
    loader: sqlLoader(parts, connection, sql),
    publisher: sqlPublisher(connection, sql),
    checker: sqlChecker(connection, sql),
    ledger: sqlLedgerWriter(connection, sql),
  }
}

function sqlLoader(parts: SqlDestinationParts, connection: SqlConnection, sql: SqlNames): Loader {
  const { dialect } = parts
  let staged = 0

  async function fill(into: string, table: Table, files: readonly LoadFile[], loadId: string): Promise<void> {
    for (const group of groupByColumns(files)) {
      const present = group.columns.filter((name) => name !== system.loadId && table.columns.has(name))
      const columns = table.columns.has(system.loadId) ? [...present, system.loadId] : present
      const values = present.map((name) => dialect.fromText(table.columns.get(name)!, dialect.quote(name)))
      if (columns.length > present.length) values.push(`'${loadId.replaceAll("'", "''")}'`)
      await parts.bulkLoad(connection, {
        into,
        columns,
        files: group.paths,
        cells: group.columns.map((name) => {
          const column = table.columns.get(name)
          return { name, type: column === undefined ? 'VARCHAR' : dialect.cellType(column.dataType!, column) }
        }),
        values,
        longestLine: group.longestLine,
      })
    }
  }

  return {
    append: (table, files, loadId) => fill(sql.table(table.name), table, files, loadId),
    async stage(table, files, loadId) {
      const name = `_sluice_stage_${staged++}`
      const definitions = typedColumns(table).map((column) => `${sql.column(column.name)} ${dialect.typeName(column)}`)
      await connection.run(dialect.createStaging(name, definitions))
      await fill(dialect.quote(name), table, files, loadId)
      return dialect.quote(name)
    },
  }
}

interface FileGroup {
  columns: readonly string[]
  paths: string[]
  longestLine: number
}

function groupByColumns(files: readonly LoadFile[]): FileGroup[] {
  const groups = new Map<string, FileGroup>()
  for (const file of files) {
    const key = file.columns.join('\n')
    const group = groups.get(key) ?? { columns: file.columns, paths: [], longestLine: 0 }
    group.paths.push(file.path)
    group.longestLine = Math.max(group.longestLine, file.longestLine)
    groups.set(key, group)
  }
  return [...groups.values()]
}
