import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { addSecret, PipelineError } from '../../errors/index.ts'
import type { RowObject, SqlConnection, SqlValue } from '../destination.ts'
import type { PostgresOptions } from './postgres.ts'
import { valueReader } from './values.ts'

/** A connection that can also take files. */
export interface PostgresConnection extends SqlConnection {
  copy(statement: string, file: string): Promise<void>
}

const pageRows = 5000

export async function openPostgres(
  options: PostgresOptions,
): Promise<{ connection: PostgresConnection; location: string }> {
  const settings = options.url === undefined ? options : { ...options, ...parseUrl(options.url) }
  if (settings.password !== undefined) addSecret(settings.password)
  const { host = 'localhost', port = 5432, database = settings.user, user, password, ssl } = settings
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    password,
    ssl: sslOptions(ssl),
    application_name: 'sluice',
    connectionTimeoutMillis: 15_000,
    keepAlive: true,
    types: {
      getTypeParser: ((typeId: number, format: string) =>
        (format === 'binary' ? undefined : valueReader(typeId)) ??
        pg.types.getTypeParser(typeId, format as 'text')) as never,
    },
  })
  // A broken connection is told by the statement that meets it; without a listener it would end the process.
  client.on('error', () => undefined)
  const place = `postgres://${user === undefined ? '' : `${encodeURIComponent(user)}:***@`}${host}:${port}/${database ?? ''}`
  try {
    await client.connect()
    await client.query("SET TimeZone = 'UTC'; SET client_min_messages = warning")
  } catch (error) {
    throw cannotConnect(place, error)
  }
  return { connection: connectionOf(client), location: place }
}

type ConnectionParts = Pick<PostgresOptions, 'host' | 'port' | 'user' | 'password' | 'database' | 'ssl'>

/**
 * The parts of `postgres://user:password@host:port/database?sslmode=…`. User and password may hold any character, encoded
 * or not: people paste them as they are.
 */
export function parseUrl(url: string): ConnectionParts {
  const match = /^(?:postgres(?:ql)?:\/\/)(?:(.*)@)?(\[[^\]]+\]|[^/:?@]*)(?::(\d+))?(?:\/([^?]*))?(?:\?(.*))?$/s.exec(
    url,
  )
  if (match === null) {
    throw new PipelineError('the PostgreSQL URL cannot be read', {
      code: 'CONFIG_INVALID',
      fix: 'write it as postgres://user:password@host:5432/database',
    })
  }
  const [, login, host, port, database, query] = match
  const colon = login?.indexOf(':') ?? -1
  const user = login === undefined ? undefined : colon < 0 ? login : login.slice(0, colon)
  const parameters = new URLSearchParams(query)
  const ssl = parameters.get('sslmode') as NonNullable<PostgresOptions['ssl']> | null
  return {
    ...(host === undefined || host === '' ? {} : { host: host.replace(/^\[|\]$/g, '') }),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(user === undefined ? {} : { user: decoded(user) }),
    ...(colon < 0 ? {} : { password: decoded(login!.slice(colon + 1)) }),
    ...(database === undefined || database === '' ? {} : { database: decoded(database) }),
    ...(ssl === null ? {} : { ssl }),
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function sslOptions(ssl: PostgresOptions['ssl']): boolean | { rejectUnauthorized: boolean } {
  if (typeof ssl === 'object') return { rejectUnauthorized: true, ...ssl }
  if (ssl === undefined || ssl === 'disable') return false
  // As libpq: "require" encrypts, "verify-ca" and "verify-full" also check who answers.
  return { rejectUnauthorized: ssl !== 'require' && ssl !== 'prefer' }
}

function cannotConnect(place: string, error: unknown): PipelineError {
  const { message, code } = error as Error & { code?: string }
  const fixes: Record<string, string> = {
    ECONNREFUSED: 'start the server, or correct host and port',
    ENOTFOUND: 'correct the host',
    '28P01': 'correct user and password',
    '28000': 'correct the user, or its right to connect',
    '53100': 'make room on the disk of the server, then run again',
    '53300': 'close connections, or raise max_connections of the server',
    '3D000': 'create the database, or correct its name',
  }
  return new PipelineError(`cannot connect to ${place}: ${message === '' ? (code ?? 'no answer') : message}`, {
    code: 'LOAD_FAILED',
    recovery: 'retry',
    fix: fixes[code ?? ''] ?? 'check host, port, user, password, database and sslmode',
    cause: error,
  })
}

function connectionOf(client: pg.Client): PostgresConnection {
  const rows = async (sql: string, values?: readonly SqlValue[]): Promise<RowObject[]> =>
    (await client.query(sql, values === undefined ? undefined : [...values])).rows as RowObject[]
  return {
    rows,
    async run(sql, values) {
      await rows(sql, values)
    },
    async *stream(sql) {
      await client.query('BEGIN TRANSACTION READ ONLY')
      try {
        await client.query(`DECLARE sluice_pages NO SCROLL CURSOR FOR ${sql}`)
        for (;;) {
          const page = await rows(`FETCH ${pageRows} FROM sluice_pages`)
          if (page.length === 0) return
          yield page
        }
      } finally {
        await client.query('ROLLBACK').catch(() => undefined)
      }
    },
    async copy(statement, file) {
      await pipeline(createReadStream(file, { highWaterMark: 256 * 1024 }), client.query(copyFrom(statement)))
    },
    close: () => client.end(),
  }
}
