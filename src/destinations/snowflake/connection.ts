import snowflake, { type Connection, type RowStatement } from 'snowflake-sdk'
import { addSecret, PipelineError } from '../../errors/index.ts'
import type { ReadLimits, ResultColumn, RowObject, SqlConnection, SqlValue } from '../destination.ts'
import { oneQuery } from '../read-only.ts'
import { isoText, shortTime } from '../sql/moments.ts'
import { resultColumn } from '../sql/result-types.ts'
import { withLiterals } from '../sql/statements.ts'
import { literal, snowflakeDialect } from './dialect.ts'
import type { SnowflakeOptions } from './snowflake.ts'

const pageRows = 5000
/**
 * Settings that decide how a value is written and read. An account or a user may have others as their defaults, so each
 * connection states the ones it relies on.
 */
const session = {
  TIMEZONE: 'UTC',
  TIMESTAMP_LTZ_OUTPUT_FORMAT: 'YYYY-MM-DD HH24:MI:SS.FF6TZH:TZM',
  TIMESTAMP_TZ_OUTPUT_FORMAT: 'YYYY-MM-DD HH24:MI:SS.FF6TZH:TZM',
  TIMESTAMP_NTZ_OUTPUT_FORMAT: 'YYYY-MM-DD HH24:MI:SS.FF6',
  TIME_OUTPUT_FORMAT: 'HH24:MI:SS.FF6',
  DATE_OUTPUT_FORMAT: 'YYYY-MM-DD',
  BINARY_OUTPUT_FORMAT: 'HEX',
}

export async function openSnowflake(
  options: SnowflakeOptions,
  readOnly?: ReadLimits,
): Promise<{ connection: SqlConnection; location: string }> {
  const { account, user, password, privateKey, privateKeyPassword, database, warehouse, role, accessUrl } = options
  for (const secret of [password, privateKey, privateKeyPassword]) if (secret !== undefined) addSecret(secret)
  snowflake.configure({ logLevel: 'OFF', additionalLogToConsole: false } as never)
  const login =
    privateKey === undefined
      ? { password }
      : {
          authenticator: 'SNOWFLAKE_JWT',
          privateKey,
          ...(privateKeyPassword === undefined ? {} : { privateKeyPass: privateKeyPassword }),
        }
  const client = snowflake.createConnection({
    account,
    username: user,
    ...login,
    database: database.toUpperCase(),
    ...(warehouse === undefined ? {} : { warehouse }),
    ...(role === undefined ? {} : { role }),
    ...(accessUrl === undefined ? {} : { accessUrl }),
    application: 'sluice',
    // Otherwise a null would come as the text NULL.
    representNullAsStringNull: false,
  } as never)
  const location = `snowflake://${user}:***@${account}/${database}`
  await new Promise<void>((resolve, reject) => {
    client.connect((error) =>
      error === undefined || error === null ? resolve() : reject(cannotConnect(location, error)),
    )
  })
  const connection = connectionOf(client, readOnly)
  for (const [name, value] of Object.entries(session))
    await connection.run(`ALTER SESSION SET ${name} = ${literal(value)}`)
  return { connection, location }
}

function cannotConnect(location: string, error: Error & { code?: unknown }): PipelineError {
  const { message, code } = error
  const fix = /password|JWT|Incorrect username/i.test(message)
    ? 'correct user and password, or register the public half of the key: ALTER USER … SET RSA_PUBLIC_KEY'
    : 'check account, user, database, warehouse and role'
  return new PipelineError(`cannot connect to ${location}: ${message} (${String(code)})`, {
    code: 'LOAD_FAILED',
    recovery: 'retry',
    fix,
    cause: error,
  })
}

function connectionOf(client: Connection, readOnly: ReadLimits | undefined): SqlConnection {
  const execute = (sql: string): Promise<RowObject[]> =>
    new Promise((resolve, reject) => {
      client.execute({
        sqlText: sql,
        fetchAsString: ['Number', 'Date', 'JSON', 'Buffer'],
        complete: (error, statement, rows) => (error ? reject(error) : resolve(readRows(statement, rows ?? []))),
      })
    })
  const rows = (sql: string, values: readonly SqlValue[] = []): Promise<RowObject[]> =>
    execute(withLiterals(snowflakeDialect, sql, values))
  return {
    rows,
    async run(sql, values) {
      await rows(sql, values)
    },
    async query(sql, values) {
      const statement = await new Promise<RowStatement>((resolve, reject) => {
        client.execute({
          sqlText: withLiterals(snowflakeDialect, readOnly === undefined ? sql : oneQuery(sql), values),
          ...(readOnly === undefined ? {} : { parameters: limitsOf(readOnly) }),
          streamResult: true,
          fetchAsString: ['Number', 'Date', 'JSON', 'Buffer'],
          complete: (error, one) => (error ? reject(error) : resolve(one)),
        })
      })
      const columns = (statement.getColumns() ?? []).map((column) =>
        typedColumn(column.getName().toLowerCase(), column.getType(), column.getPrecision(), column.getScale()),
      )
      return { columns, pages: pagesOf(statement) }
    },
    close: () => new Promise((resolve) => client.destroy(() => resolve())),
  }
}

const limitsOf = ({ timeoutMs }: ReadLimits): Record<string, number> => ({
  STATEMENT_TIMEOUT_IN_SECONDS: Math.ceil(timeoutMs / 1000),
  MULTI_STATEMENT_COUNT: 1,
})

async function* pagesOf(statement: RowStatement): AsyncGenerator<RowObject[]> {
  let page: RowObject[] = []
  for await (const row of statement.streamRows() as AsyncIterable<RowObject>) {
    page.push(row)
    if (page.length < pageRows) continue
    yield readRows(statement, page)
    page = []
  }
  if (page.length > 0) yield readRows(statement, page)
}

/** Whole numbers are decimals without a scale; up to 19 digits are what `bigint` is stored as. */
function typedColumn(name: string, type: string, precision: number, scale: number): ResultColumn {
  if (type !== 'fixed') return resultColumn(name, type)
  return scale === 0 && precision <= 19 ? { name, dataType: 'bigint' } : { name, dataType: 'decimal', precision, scale }
}

/** Values as text, read by their column's type; names in small letters, as everywhere else. */
function readRows(statement: RowStatement, rows: readonly RowObject[]): RowObject[] {
  const columns = (statement.getColumns() ?? []).map((column) => ({
    name: column.getName(),
    type: column.getType(),
    scale: column.getScale(),
  }))
  return rows.map((row) =>
    Object.fromEntries(columns.map(({ name, type, scale }) => [name.toLowerCase(), valueOf(row[name], type, scale)])),
  )
}

function valueOf(value: unknown, type: string, scale: number): unknown {
  if (value === null || value === undefined) return null
  const text = String(value)
  switch (type) {
    case 'fixed': {
      if (scale > 0) return text
      return Number.isSafeInteger(Number(text)) ? Number(text) : text
    }
    case 'real':
      return Number(text)
    case 'boolean':
      return typeof value === 'boolean' ? value : text === 'TRUE' || text === 'true' || text === '1'
    case 'timestamp_tz':
    case 'timestamp_ntz':
    case 'timestamp_ltz':
      return isoText(text.replace(/(Z|[+-]\d\d:?\d\d)$/, ''))
    case 'time':
      return shortTime(text)
    case 'binary':
      return Buffer.from(text, 'hex')
    default:
      return typeof value === 'object' ? JSON.stringify(value) : text
  }
}
