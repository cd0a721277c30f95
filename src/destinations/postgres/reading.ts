import type pg from 'pg'
import { PipelineError } from '../../errors/index.ts'
import type { QueryResult, ReadLimits, ResultColumn, RowObject, SqlValue } from '../destination.ts'
import { bracketed, cutQuery, type CutKind, type CutQuery } from '../sql/cut-values.ts'
import { uniqueNames } from '../sql/result-types.ts'
import { readingSettings } from './session.ts'
import { typedColumn } from './values.ts'

/** Limits of a connection that only reads, and the role that a superuser takes for it where the database has one. */
export interface Reading extends ReadLimits {
  role?: string
}

/** How each query of a read-only connection is restricted. */
export interface Restriction {
  timeoutMs: number
  /** Statements at the start of its transaction: a pooler gives what a session has set to whoever gets the session next. */
  statements: readonly string[]
  /** The user could read the catalogs that hold passwords. */
  readsPasswords: boolean
}

/** A superuser may read files and run programs from within a SELECT, so it takes the role that may only read. */
export async function restrictionOf(client: pg.Client, { timeoutMs, role }: Reading): Promise<Restriction> {
  if (role === undefined) return { timeoutMs, statements: [], readsPasswords: false }
  const { rows } = await client.query(
    `SELECT current_setting('is_superuser') = 'on' AND EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS "takesRole", ` +
      `COALESCE(${passwordTables.map((name) => `has_table_privilege(${oidOf(name)}, 'SELECT')`).join(' OR ')}) AS "readsPasswords"`,
    [role],
  )
  const [{ takesRole, readsPasswords }] = rows as [{ takesRole: boolean; readsPasswords: boolean }]
  return { timeoutMs, statements: takesRole ? [`SET LOCAL ROLE ${role}`] : [], readsPasswords }
}

/** Catalogs with password hashes, passwords of foreign servers, and connection strings. `pg_read_all_data` includes them. */
const passwordTables = ['pg_authid', 'pg_user_mapping', 'pg_subscription']

function oidOf(table: string): string {
  return `pg_catalog.to_regclass('pg_catalog.${table}')`
}

/**
 * A transaction keeps the lock of each table that its queries read, whether they name it, or a view, a function or a cast
 * leads to it. The server's own look-ups release theirs.
 */
const passwordLocks =
  'SELECT relation::pg_catalog.regclass::text FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid() ' +
  `AND relation IN (${passwordTables.map(oidOf).join(', ')}) LIMIT 1`

const mostRows = 5000
const firstRows = 10
const pageBytes = 4 * 1024 * 1024

/** Runs a query as a cursor in a transaction that only reads, and fetches so many rows at a time as have about 4 MiB. */
export async function readPages(client: pg.Client, asked: Asked): Promise<QueryResult> {
  const { sql, values, restriction, longestValue } = asked
  const end = (): Promise<unknown> => client.query('ROLLBACK').catch(() => undefined)
  try {
    const timeLeft = deadline(restriction)
    const start = ['BEGIN TRANSACTION READ ONLY', readingSettings, ...timeLeft(), ...(restriction?.statements ?? [])]
    await client.query(start.join('; '))
    const cut = longestValue === undefined ? undefined : await cutOf(client, { ...asked, longestValue })
    await client.query(extended(`DECLARE sluice_pages CURSOR FOR ${cut?.sql ?? sql}`, values))
    const next = pagesOf(client, { timeLeft, readsPasswords: restriction?.readsPasswords === true })
    const first = await next()
    const columns = cut?.columns ?? columnsOf(first.fields)
    const row = cut?.row ?? ((found: unknown[]) => found)
    return { columns, pages: rowsOf(first, next, { names: columns.map(({ name }) => name), row, end }) }
  } catch (error) {
    await end()
    throw error
  }
}

interface Asked {
  sql: string
  values: readonly SqlValue[]
  restriction: Restriction | undefined
  longestValue?: number | undefined
}

/** The extended protocol takes one statement: a second one after a semicolon is refused. */
const extended = (text: string, values: readonly SqlValue[]) => ({ text, values: [...values], queryMode: 'extended' })

function columnsOf(fields: readonly pg.FieldDef[]): ResultColumn[] {
  const names = uniqueNames(fields.map(({ name }) => name))
  return fields.map(({ dataTypeID, dataTypeModifier }, at) => typedColumn(names[at]!, dataTypeID, dataTypeModifier))
}

/** Type numbers of text, bpchar, varchar, json, jsonb and xml; and of bytea. */
const textTypes = new Set([25, 1042, 1043, 114, 3802, 142])
const bytesType = 17

/** The query around the one that is asked, and the columns of that one. */
async function cutOf(
  client: pg.Client,
  { sql, values, longestValue }: Asked & { longestValue: number },
): Promise<(CutQuery & { columns: ResultColumn[] }) | undefined> {
  const bytes = (value: string, longest: number): string => `SUBSTRING(${value} FROM 1 FOR ${longest})`
  const kindOf = ({ dataTypeID }: pg.FieldDef): CutKind =>
    textTypes.has(dataTypeID) ? 'text' : dataTypeID === bytesType ? 'bytes' : undefined
  const inBrackets = bracketed(sql)
  if (inBrackets === undefined) return undefined
  const { fields } = await client.query(extended(`SELECT * FROM ${inBrackets} AS sluice_rows LIMIT 0`, values))
  const cut = cutQuery(sql, fields.map(kindOf), { longest: longestValue, bytes })
  return cut && { ...cut, columns: columnsOf(fields) }
}

type Page = pg.QueryArrayResult

/** The setting that ends the next statement at the deadline of the query: one limit for all of its pages. */
function deadline(restriction: Restriction | undefined): () => string[] {
  if (restriction === undefined) return () => []
  const end = performance.now() + restriction.timeoutMs
  return () => [`SET LOCAL statement_timeout = ${Math.max(1, Math.ceil(end - performance.now()))}`]
}

/** Fetches page after page. */
function pagesOf(
  client: pg.Client,
  { timeLeft, readsPasswords }: { timeLeft: () => string[]; readsPasswords: boolean },
): () => Promise<Page> {
  const { stream } = (client as unknown as { connection: { stream: { bytesRead: number } } }).connection
  let rows = firstRows
  return async () => {
    const before = stream.bytesRead
    const statements = [...timeLeft(), `FETCH FORWARD ${rows} FROM sluice_pages`]
    if (readsPasswords) statements.push(passwordLocks)
    const results = [await client.query({ text: statements.join('; '), rowMode: 'array' })].flat() as Page[]
    const page = results[timeLeft().length]!
    const [locked] = readsPasswords ? results.at(-1)!.rows : []
    if (locked !== undefined) throw readsPassword(String(locked[0]))
    const bytesOfRow = (stream.bytesRead - before) / Math.max(page.rows.length, 1)
    rows = Math.max(1, Math.min(mostRows, rows * 10, Math.floor(pageBytes / bytesOfRow)))
    return page
  }
}

async function* rowsOf(
  first: Page,
  next: () => Promise<Page>,
  { names, row, end }: { names: readonly string[]; row: (found: unknown[]) => unknown[]; end: () => Promise<unknown> },
): AsyncGenerator<RowObject[]> {
  try {
    for (let page = first; page.rows.length > 0; page = await next()) {
      yield page.rows.map((found) => {
        const cells = row(found)
        return Object.fromEntries(names.map((name, at) => [name, cells[at]]))
      })
    }
  } finally {
    await end()
  }
}

const readsPassword = (table: string): PipelineError =>
  new PipelineError(`the query reads ${table}, which holds passwords`, {
    code: 'READ_ONLY',
    fix: 'leave it out, and views on it such as pg_roles; or connect as a user who cannot read it',
  })
