import { basename, dirname } from 'node:path'
import { DBSQLClient } from '@databricks/sql'
import { addSecret, PipelineError } from '../../errors/index.ts'
import type { DestinationTarget, QueryResult, ReadLimits, RowObject, SqlConnection } from '../destination.ts'
import type { DatabricksOptions } from './databricks.ts'
import { inParallel } from '../in-parallel.ts'
import { resultColumn } from '../sql/result-types.ts'
import { withLiterals } from '../sql/statements.ts'
import { databricksDialect, literal, quote } from './dialect.ts'
import { UndoLog } from './undo-log.ts'
import { asText, fieldsOf, rowOf, type Field } from './values.ts'

const pageRows = 5000
/** The server names the file that the driver sends: it may be one of this folder only. */
const movingFrom = (file: string) => ({ stagingAllowedLocalPath: dirname(file) })

/** A connection that also moves files. */
export interface DatabricksConnection extends SqlConnection {
  /** Puts a file of this machine's temporary folder into a volume, for as long as `use` needs it. */
  throughVolume(place: string, localFile: string, use: (path: string) => Promise<void>): Promise<void>
}

export async function openDatabricks(
  options: DatabricksOptions,
  target: DestinationTarget,
): Promise<{ connection: DatabricksConnection; location: string }> {
  const { serverHostname, httpPath, accessToken, clientId, clientSecret, catalog, tls } = options
  for (const secret of [accessToken, clientSecret]) if (secret !== undefined) addSecret(secret)
  const quiet = { log: () => undefined }
  const client = new DBSQLClient({ logger: quiet as never })
  const login =
    accessToken === undefined
      ? { authType: 'databricks-oauth', oauthClientId: clientId, oauthClientSecret: clientSecret }
      : { token: accessToken }
  const [host, port] = serverHostname.replace(/^https:\/\//, '').split(':')
  const location = `databricks://${serverHostname}${httpPath}`
  try {
    await client.connect({
      host,
      ...(port === undefined ? {} : { port: Number(port) }),
      path: httpPath,
      ...login,
      ...(tls?.ca === undefined ? {} : { customCaCert: tls.ca }),
      userAgentEntry: 'sluice',
      telemetryEnabled: false,
    } as never)
    const session = await client.openSession(catalog === undefined ? {} : { initialCatalog: catalog })
    const statements = new Statements(session, target.readOnly)
    await statements.run("SET TIME ZONE 'UTC'")
    const { readOnly } = target
    if (readOnly !== undefined) await statements.run(`SET STATEMENT_TIMEOUT = ${Math.ceil(readOnly.timeoutMs / 1000)}`)
    const [current] = await statements.raw('SELECT current_catalog() AS name')
    const place = { ...target, catalog: String(current?.name), volume: options.stagingVolume }
    const connection = connectionOf(statements, place, () => client.close())
    return { connection, location: `${location}/${place.catalog}/${target.dataset}` }
  } catch (error) {
    await client.close().catch(() => undefined)
    throw cannotConnect(location, error as Error)
  }
}

/** Where rows go to, and the volume that is named for them. */
interface Place extends DestinationTarget {
  catalog: string
  volume: string | undefined
}

type Session = Awaited<ReturnType<DBSQLClient['openSession']>>

/** Statements of one session; errors say what the warehouse said. */
class Statements {
  private readonly session: Session
  private readonly readOnly: ReadLimits | undefined

  constructor(session: Session, readOnly: ReadLimits | undefined) {
    this.session = session
    this.readOnly = readOnly
  }

  async run(sql: string, options: { stagingAllowedLocalPath?: string } = {}): Promise<void> {
    await this.explained(async () => {
      const operation = await this.session.executeStatement(sql, options)
      await operation.finished()
      await operation.close()
    })
  }

  /** Rows as the driver reads them, which rounds long numbers and cuts moments. */
  raw(sql: string): Promise<RowObject[]> {
    return this.explained(async () => {
      const operation = await this.session.executeStatement(sql)
      const rows = await operation.fetchAll()
      await operation.close()
      return rows as RowObject[]
    })
  }

  async fieldsOf(query: string): Promise<Field[]> {
    return fieldsOf(await this.raw(`DESCRIBE QUERY ${query}`))
  }

  /** Rows with nothing rounded. */
  async query(sql: string): Promise<QueryResult> {
    if (this.readOnly === undefined && !/^[\s(]*(select|with|values|from|table)\b/i.test(sql)) {
      return told(await this.raw(sql))
    }
    const fields = await this.fieldsOf(sql)
    const columns = fields.map(({ name, type }) => resultColumn(name, type))
    return { columns, pages: this.pages(sql, fields) }
  }

  private async *pages(sql: string, fields: readonly Field[]): AsyncGenerator<RowObject[]> {
    // As a subquery of this one, only what reads can stand there.
    const operation = await this.explained(() => this.session.executeStatement(asText(sql, fields)))
    try {
      do {
        const rows = await this.explained(() => operation.fetchChunk({ maxRows: pageRows }))
        if (rows.length > 0) yield rows.map((row) => rowOf(fields, row as RowObject))
      } while (await this.explained(() => operation.hasMoreRows()))
    } finally {
      await operation.close().catch(() => undefined)
    }
  }

  close = (): Promise<unknown> => this.session.close()

  /** The driver's own message is that something failed; what the warehouse said is beside it. */
  private async explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      const { response } = error as { response?: { displayMessage?: string; errorMessage?: string } }
      const said = response?.displayMessage ?? response?.errorMessage
      if (said === undefined) throw error
      throw new Error(said.split('\n\tat ')[0]!, { cause: error })
    }
  }
}

/** What a statement that is no query tells: text. */
function told(rows: RowObject[]): QueryResult {
  const columns = Object.keys(rows[0] ?? {}).map((name) => resultColumn(name, 'text'))
  async function* pages(): AsyncGenerator<RowObject[]> {
    if (rows.length > 0) yield rows
  }
  return { columns, pages: pages() }
}

function connectionOf(statements: Statements, target: Place, closeClient: () => Promise<void>): DatabricksConnection {
  let log: UndoLog | undefined
  let volume: Promise<string> | undefined

  const tableNames = async (name: string): Promise<string[] | undefined> => {
    try {
      return (await statements.raw(`SHOW TABLES IN ${quote(name)}`)).map((row) => String(row.tableName))
    } catch (error) {
      if (/SCHEMA_NOT_FOUND|NoSuchDatabase|database .{0,300} not found/i.test((error as Error).message))
        return undefined
      throw error
    }
  }

  async function end(sql: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    const ended = log!
    log = undefined
    await (sql === 'COMMIT' ? ended.end() : ended.undo())
  }

  return {
    async run(sql, values) {
      if (log !== undefined && (sql === 'COMMIT' || sql === 'ROLLBACK')) return end(sql)
      log?.refuseLate()
      await statements.run(withLiterals(databricksDialect, sql, values))
    },
    rows: (sql, values) => statements.raw(withLiterals(databricksDialect, sql, values)),
    async exactRows(sql, values) {
      const rows = []
      for await (const page of (await statements.query(withLiterals(databricksDialect, sql, values))).pages)
        rows.push(...page)
      return rows
    },
    query: (sql, values) => statements.query(withLiterals(databricksDialect, sql, values)),
    async begin(load) {
      const forLog = {
        run: (sql: string) => statements.run(sql),
        rows: (sql: string) => statements.raw(sql),
        tableNames: async () => (await tableNames(target.dataset)) ?? [],
      }
      log = await UndoLog.begin(forLog, target, load)
    },
    tableNames,
    async columns(name) {
      const described = await inParallel((await tableNames(name)) ?? [], async (table) => {
        const fields = fieldsOf(await statements.raw(`DESCRIBE TABLE ${quote(name)}.${quote(table)}`))
        return fields.map((field) => ({ table_name: table, column_name: field.name, data_type: field.type }))
      })
      return described.flat()
    },
    async throughVolume(place, localFile, use) {
      volume ??= stagingVolume(statements, target)
      const path = `/Volumes/${await volume}/${encodeURIComponent(place)}/${basename(localFile)}`
      try {
        await statements.run(`PUT ${literal(localFile)} INTO ${literal(path)} OVERWRITE`, movingFrom(localFile))
        await use(path)
      } finally {
        await statements.run(`REMOVE ${literal(path)}`, movingFrom(localFile))
      }
    },
    async close() {
      await statements.close()
      await closeClient()
    },
  }
}

/** The folder of the volume through which rows go. One that is not named is made. */
async function stagingVolume(statements: Statements, { catalog, dataset, volume }: Place): Promise<string> {
  if (volume !== undefined) return volume.split('.').join('/')
  const parts = [catalog, dataset, '_dlt_staging_load_volume']
  await statements.run(`CREATE VOLUME IF NOT EXISTS ${parts.map(quote).join('.')}`)
  return parts.join('/')
}

function cannotConnect(location: string, error: Error & { statusCode?: number }): PipelineError {
  const refused = /401|403|unauthorized|forbidden|invalid access token/i.test(
    `${error.statusCode ?? ''} ${error.message}`,
  )
  return new PipelineError(`cannot connect to ${location}: ${error.message.split('\n')[0]}`, {
    code: 'LOAD_FAILED',
    recovery: refused ? 'abort' : 'retry',
    fix: refused
      ? 'correct the token, or client id and secret; the SQL warehouse must grant "Can use"'
      : 'check server_hostname, http_path and catalog, as the warehouse shows them under "Connection details"',
    cause: error,
  })
}
