import { randomBytes } from 'node:crypto'
import { failpoint } from '../../failpoints/index.ts'
import { system, typedColumns, type Table } from '../../schema/index.ts'
import type { Capabilities } from '../capabilities.ts'
import type {
  Destination,
  BegunLoad,
  DestinationTarget,
  Loader,
  LoadFile,
  LoadTransaction,
  SqlConnection,
  SqlDialect,
} from '../destination.ts'
import { ColumnFixed } from '../column-fixed.ts'
import { classifyError, explainedBy, type ErrorRule } from '../error-rules.ts'
import { onlyQueries, onlyToLook } from '../read-only.ts'
import { sqlCatalog, tableNames } from './catalog.ts'
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
  /** SQL that begins the transaction of a load. @default `BEGIN TRANSACTION` */
  begin?: string
  /** A change of a table commits what was done before it. @default false */
  ddlCommits?: boolean
  /** What the database's errors mean. */
  errors: readonly ErrorRule[]
}

export interface BulkLoad {
  loadId: string
  /** Whose rows they are. */
  table: Table
  /** The table to fill, as it is called in SQL and by itself. */
  into: string
  intoTable: string
  files: readonly string[]
  /** The cells of each line, in their order. */
  cells: readonly BulkCell[]
  /** What the files do not carry, because all their rows have it: the load's id, as SQL. */
  constant: { column: string; value: string } | undefined
  /** Bytes of the longest line. */
  longestLine: number
  /** The rows must come in the order of the files: the last of several with one key is the one to keep. */
  ordered: boolean
  /** This transaction has made the table, so nobody else sees it or waits for it. */
  fresh: boolean
}

export interface BulkCell {
  name: string
  /** The type to read it as. */
  type: string
  /** SQL for the column's value; none where the table has no such column. */
  value: string | undefined
}

/** Columns and values of an INSERT … SELECT that reads the cells by their names. */
export function selection(load: BulkLoad): { columns: string[]; values: string[] } {
  const stored = load.cells.filter((cell) => cell.value !== undefined)
  const columns = stored.map((cell) => cell.name)
  const values = stored.map((cell) => cell.value!)
  if (load.constant === undefined) return { columns, values }
  return { columns: [...columns, load.constant.column], values: [...values, load.constant.value] }
}

export function sqlDestination(parts: SqlDestinationParts): Destination {
  return {
    name: parts.name,
    capabilities: parts.capabilities,
    async open(target) {
      const { connection: opened, location } = await parts.connect(target)
      const connection = target.readOnly === undefined ? opened : onlyQueries(opened, parts.dialect.refusedFunctions)
      const sql = sqlNames(parts.dialect, target.dataset)
      const stored = (name: string): string => parts.dialect.storedName?.(name) ?? name
      let names: ReadonlySet<string> = new Set()
      const exists = async (table: string): Promise<boolean> => {
        if (!names.has(stored(table))) names = (await tableNames(connection, sql, target.dataset)) ?? new Set()
        return names.has(stored(table))
      }
      return {
        location,
        ledger: sqlLedger(connection, sql, exists),
        reader: {
          tables: () => sqlCatalog(connection, sql, target.dataset).tables(),
          rows: (statement, values) => connection.exactRows?.(statement, values) ?? connection.rows(statement, values),
          query: (statement, values, options) => connection.query(statement, values, options),
          tableName: sql.table,
          quote: sql.column,
          momentType: parts.dialect.typeName({ name: '', dataType: 'timestamp' }),
          textType: parts.dialect.typeName({ name: '', dataType: 'text' }),
        },
        async transaction(work) {
          if (target.readOnly !== undefined) throw onlyToLook()
          let begun = false
          const plainly = async (): Promise<void> => {
            await connection.run(parts.begin ?? 'BEGIN TRANSACTION')
            begun = true
          }
          const begin = async (load: BegunLoad): Promise<void> => {
            if (connection.begin === undefined) return plainly()
            await connection.begin(load)
            begun = true
          }
          if (parts.ddlCommits !== true) await plainly()
          const stagings = new Set<string>()
          try {
            await createSystemTables(connection, sql, target.dataset)
            failpoint('load-begun')
            const load = loadTransaction(parts, connection, { sql, target, stagings })
            const result = await work(parts.ddlCommits === true ? { ...load, begin } : load)
            if (begun) await connection.run('COMMIT')
            failpoint('load-committed')
            return result
          } catch (error) {
            // The connection may be gone; the first error is the one to tell.
            if (begun) await connection.run('ROLLBACK').catch(() => undefined)
            throw explainedBy(parts.errors, parts.name, error)
          } finally {
            // What the load did stands; what is left here is found by the next try, or grows old.
            const drop = (name: string) => connection.run(`DROP TABLE IF EXISTS ${name}`).catch(() => undefined)
            await Promise.all([...stagings].map(drop))
            failpoint('staging-dropped')
          }
        },
        [Symbol.asyncDispose]: () => connection.close(),
      }
    },
  }
}

interface LoadPlace {
  sql: SqlNames
  target: DestinationTarget
  /** Staging tables to drop at the end. */
  stagings: Set<string>
}

function loadTransaction(parts: SqlDestinationParts, connection: SqlConnection, place: LoadPlace): LoadTransaction {
  const { sql, target } = place
  const catalog = sqlCatalog(connection, sql, target.dataset)
  const created = new Set<string>()
  return {
    capabilities: parts.capabilities,
    catalog: {
      ...catalog,
      async createTable(table) {
        await catalog.createTable(table)
        created.add(table.name)
      },
      async changeType(table, column) {
        await catalog.changeType(table, column).catch((error: unknown) => {
          const isRefused = classifyError(parts.errors, error)?.recovery === 'skip'
          throw isRefused ? new ColumnFixed(table.name, column.name, error) : error
        })
      },
    },
    loader: sqlLoader(parts, connection, place, created),
    publisher: sqlPublisher(connection, sql),
    checker: sqlChecker(connection, sql),
    ledger: sqlLedgerWriter(connection, sql),
  }
}

function sqlLoader(
  parts: SqlDestinationParts,
  connection: SqlConnection,
  { sql, stagings }: LoadPlace,
  created: ReadonlySet<string>,
): Loader {
  const { dialect } = parts
  let staged = 0
  const attempt = randomBytes(4).toString('hex')

  async function fill(
    table: Table,
    files: readonly LoadFile[],
    loadId: string,
    into: Pick<BulkLoad, 'into' | 'intoTable' | 'ordered' | 'fresh'>,
  ): Promise<void> {
    const withLoadId = table.columns.has(system.loadId)
    for (const group of groupByColumns(files)) {
      const cells = group.columns.map((name) => {
        const column = table.columns.get(name)
        if (column === undefined) return { name, type: 'VARCHAR', value: undefined }
        const type = dialect.cellType(column.dataType!, column)
        // A load id that the data brought is not the one to keep.
        const value = name === system.loadId ? undefined : dialect.fromText(column, dialect.quote(name))
        return { name, type, value }
      })
      await parts.bulkLoad(connection, {
        ...into,
        loadId,
        table,
        files: group.paths,
        cells,
        constant: withLoadId ? { column: system.loadId, value: dialect.literal(loadId) } : undefined,
        longestLine: group.longestLine,
      })
    }
  }

  return {
    append: (table, files, loadId) =>
      fill(table, files, loadId, {
        into: sql.table(table.name),
        intoTable: table.name,
        ordered: false,
        fresh: created.has(table.name),
      }),
    async stage(table, files, loadId) {
      const number = staged++
      const lasting = dialect.stagingTable?.({ loadId, place: number, attempt })
      const intoTable = lasting ?? `_sluice_stage_${number}`
      const name = lasting === undefined ? dialect.quote(intoTable) : sql.table(intoTable)
      if (lasting !== undefined) stagings.add(name)
      const stagedType = dialect.stagedType ?? dialect.typeName
      const definitions = typedColumns(table).map((column) => `${sql.column(column.name)} ${stagedType(column)}`)
      await connection.run(dialect.createStaging(name, definitions))
      // Only of root rows one is chosen among several.
      await fill(table, files, loadId, { into: name, intoTable, ordered: table.parent === undefined, fresh: true })
      return name
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
