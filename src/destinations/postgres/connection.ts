import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionOptions } from 'node:tls'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { addSecret, PipelineError } from '../../errors/index.ts'
import { wrongValue } from '../../schema/index.ts'
import type { RowObject, SqlConnection, SqlValue } from '../destination.ts'
import type { PostgresOptions } from './postgres.ts'
import { readPages, restrictionOf, type Reading, type Restriction } from './reading.ts'
import { sessionSettings } from './session.ts'
import { sslModes, tlsOptions } from './tls.ts'
import { catchUnreadableMessages } from './unreadable-message.ts'
import { valueReader } from './values.ts'
import { percentDecoded } from '../../masking/index.ts'

/** A connection that can also take files. */
export interface PostgresConnection extends SqlConnection {
  copy(statement: string, file: string): Promise<void>
}

/** `session` are the statements that a connection starts with. */
export async function openPostgres(
  options: PostgresOptions,
  { session = sessionSettings, reading }: { session?: string; reading?: Reading | undefined } = {},
): Promise<{ connection: PostgresConnection; location: string }> {
  const { client, location } = await connect(options, session)
  const restriction = reading === undefined ? undefined : await restrictionOf(client, reading)
  return { connection: connectionOf(client, restriction), location }
}

/** A client, what it took to connect it, and where it is connected to. */
export async function connect(
  options: PostgresOptions,
  session = sessionSettings,
): Promise<{ client: pg.Client; config: pg.ClientConfig; location: string }> {
  const settings = options.url === undefined ? options : { ...options, ...parseUrl(options.url) }
  if (settings.password !== undefined) addSecret(settings.password)
  const { host = 'localhost', port = 5432, user, password, ssl = 'prefer' } = settings
  const { database = user } = settings
  const place = `postgres://${user === undefined ? '' : `${encodeURIComponent(user)}:***@`}${host}:${port}/${database ?? ''}`
  const connectWith = async (tls: ConnectionOptions | false) => {
    const config = { host, port, database, user, password, ssl: tls }
    return { client: await connected(config, session), config, location: place }
  }
  try {
    const tls = typeof ssl === 'object' ? { rejectUnauthorized: true, ...ssl } : tlsOptions(ssl, settings.sslRootCert)
    return await whileStarting(() =>
      connectWith(tls).catch((error: Error) => {
        if (ssl === 'prefer' && error.message.includes('does not support SSL')) return connectWith(false)
        throw error
      }),
    )
  } catch (error) {
    throw error instanceof PipelineError ? error : cannotConnect(place, error)
  }
}

/** A server that starts, or recovers from a crash, says so and is there a moment later. */
async function whileStarting<T>(connect: () => Promise<T>): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += startPollMs) {
    try {
      return await connect()
    } catch (error) {
      if ((error as { code?: string }).code !== cannotConnectNow || waitedMs >= longestStartMs) throw error
      await sleep(startPollMs)
    }
  }
}
const cannotConnectNow = '57P03'
const startPollMs = 250
const longestStartMs = 30_000

async function connected(options: pg.ClientConfig, session: string): Promise<pg.Client> {
  const client = new pg.Client({
    ...options,
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
  await client.connect()
  catchUnreadableMessages(client)
  await client.query(session)
  return client
}

type ConnectionParts = Pick<PostgresOptions, 'host' | 'port' | 'user' | 'password' | 'database' | 'ssl' | 'sslRootCert'>

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
  const mode = parameters.get('sslmode')
  const ssl = sslModes.find((known) => known === mode)
  if (mode !== null && ssl === undefined) throw wrongValue('sslmode', mode, sslModes)
  const sslRootCert = parameters.get('sslrootcert')
  return {
    ...(host === undefined || host === '' ? {} : { host: host.replace(/^\[|\]$/g, '') }),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(user === undefined ? {} : { user: percentDecoded(user) }),
    ...(colon < 0 ? {} : { password: percentDecoded(login!.slice(colon + 1)) }),
    ...(database === undefined || database === '' ? {} : { database: percentDecoded(database) }),
    ...(ssl === undefined ? {} : { ssl }),
    ...(sslRootCert === null ? {} : { sslRootCert }),
  }
}

const certificateFix =
  'name the authority that signed the certificate: sslrootcert=/path/to/ca.pem, or the option ssl: { ca }'

function cannotConnect(place: string, error: unknown): PipelineError {
  const { message, code } = error as Error & { code?: string }
  const fixes: Record<string, string> = {
    ECONNREFUSED: 'start the server, or correct host and port',
    ENOTFOUND: 'correct the host',
    '28P01': 'correct user and password',
    '28000': 'correct the user, or its right to connect',
    '53100': 'make room on the disk of the server, then run again',
    [cannotConnectNow]: 'the server starts or recovers: run again when it is ready',
    '53300': 'close connections, or raise max_connections of the server',
    DEPTH_ZERO_SELF_SIGNED_CERT: certificateFix,
    SELF_SIGNED_CERT_IN_CHAIN: certificateFix,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificateFix,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificateFix,
    ERR_TLS_CERT_ALTNAME_INVALID: 'connect by the name in the certificate, or use sslmode=verify-ca',
    '3D000': 'create the database, or correct its name',
  }
  return new PipelineError(`cannot connect to ${place}: ${message === '' ? (code ?? 'no answer') : message}`, {
    code: 'LOAD_FAILED',
    recovery: 'retry',
    fix: message.includes('does not support SSL')
      ? 'use sslmode=prefer or disable, or switch SSL on in the server'
      : (fixes[code ?? ''] ?? 'check host, port, user, password, database and sslmode'),
    cause: error,
  })
}

function connectionOf(client: pg.Client, restriction: Restriction | undefined): PostgresConnection {
  const rows = async (sql: string, values?: readonly SqlValue[]): Promise<RowObject[]> =>
    (await client.query(sql, values === undefined ? undefined : [...values])).rows as RowObject[]
  return {
    rows,
    async run(sql, values) {
      await rows(sql, values)
    },
    query: (sql, values = [], { longestValue } = {}) => readPages(client, { sql, values, restriction, longestValue }),
    async copy(statement, file) {
      await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), client.query(copyFrom(statement)))
    },
    close: () => client.end(),
  }
}
