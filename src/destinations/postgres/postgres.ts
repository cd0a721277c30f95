import type { ClientBase, PoolConfig } from 'pg'
import { withDriver } from '../../errors/index.ts'
import { withOptions, type Capabilities, type CapabilityOptions } from '../capabilities.ts'
import type { Destination } from '../destination.ts'
import { selection, sqlDestination, type BulkLoad, type SqlDestinationParts } from '../sql/sql-destination.ts'
import type { PostgresConnection } from './connection.ts'
import { postgresDialect } from './dialect.ts'
import { postgresErrors } from './errors.ts'
import { beginLoad, sessionSettings } from './session.ts'
import type { SslMode } from './tls.ts'

export interface PostgresOptions extends CapabilityOptions {
  /** `postgres://user:password@host:5432/database?sslmode=require`, instead of the single parts. */
  url?: string
  host?: string
  port?: number
  user?: string
  password?: string
  database?: string
  /** As libpq's sslmode, or options of Node's TLS. @default 'prefer' */
  ssl?: SslMode | { rejectUnauthorized?: boolean; ca?: string; cert?: string; key?: string }
  /** Path of the certificate of the authority that vouches for the server, for `verify-ca` and `verify-full`. */
  sslRootCert?: string
}

/** The packages that a project installs beside this one. */
export const drivers: readonly string[] = ['pg', 'pg-copy-streams']

const capabilities: Capabilities = {
  identifiers: {
    maxLength: 63,
    naming: 'snake_case',
    reserved: { names: ['ctid', 'tableoid', 'xmin', 'xmax', 'cmin', 'cmax'] },
  },
  ddl: { maxColumns: 1600 },
  text: { takesNul: false },
  storage: {
    decimalDigits: 1000,
    // A page of 8 KB holds one row at least; larger values go to the table's TOAST.
    row: {
      bytes: 8160,
      headerBytes: 23,
      alignment: 8,
      fixedBytes: { bigint: 8, double: 8, timestamp: 8, time: 8, date: 4, bool: 1 },
      pointerBytes: 18,
      inlineBytes: 23,
    },
  },
  load: {
    mergeStrategies: ['delete-insert', 'upsert', 'insert-only', 'scd2'],
    replaceStrategy: 'truncate-and-insert',
    early: true,
  },
}

/** A PostgreSQL database as destination; needs the packages `pg` and `pg-copy-streams`. */
export const postgres = (options: PostgresOptions = {}): Destination => sqlDestination(postgresParts(options))

/** Configuration of a node-postgres pool for the same database, found by connecting once. */
export async function postgresPoolConfig(options: PostgresOptions): Promise<PoolConfig> {
  const { connect } = await withDriver('PostgreSQL', drivers, () => import('./connection.ts'))
  const { client, config } = await connect(options)
  await client.end()
  return { ...config, onConnect: async (client: ClientBase) => void (await client.query(sessionSettings)) }
}

/** The parts of the destination, for tests that stand between them. */
export function postgresParts(options: PostgresOptions): SqlDestinationParts {
  return {
    name: 'postgres',
    capabilities: withOptions(capabilities, options),
    dialect: postgresDialect,
    errors: postgresErrors,
    async connect({ readOnly }) {
      const { openPostgres } = await withDriver('destination "postgres"', drivers, () => import('./connection.ts'))
      return openPostgres(options, { reading: readOnly && { ...readOnly, role: 'pg_read_all_data' } })
    },
    begin: beginLoad,
    bulkLoad: (connection, bulk) => copyFiles(connection as PostgresConnection, bulk),
  }
}

/**
 * COPY takes the package text as it is, straight into the table where nothing is to be computed. The load's id, which
 * the files do not carry, is the column's default meanwhile; that locks the table, so it is done only where nobody else
 * sees it. Otherwise the rows take the way over a temporary table, which costs no write-ahead log.
 */
async function copyFiles(connection: PostgresConnection, load: BulkLoad): Promise<void> {
  const { quote } = postgresDialect
  const isPlain = load.cells.every(({ name, value }) => value === quote(name))
  if (!isPlain || (load.constant !== undefined && !load.fresh)) return copyThroughTemporary(connection, load)
  const alter =
    load.constant === undefined ? '' : `ALTER TABLE ${load.into} ALTER COLUMN ${quote(load.constant.column)}`
  if (load.constant !== undefined) await connection.run(`${alter} SET DEFAULT ${load.constant.value}`)
  const columns = load.cells.map(({ name }) => quote(name)).join(', ')
  for (const file of load.files) await connection.copy(`COPY ${load.into} (${columns}) FROM STDIN (FORMAT csv)`, file)
  if (load.constant !== undefined) await connection.run(`${alter} DROP DEFAULT`)
}

async function copyThroughTemporary(connection: PostgresConnection, load: BulkLoad): Promise<void> {
  const { quote } = postgresDialect
  const cells = load.cells.map(({ name, type }) => `${quote(name)} ${type}`)
  await connection.run(`CREATE TEMP TABLE _sluice_copy (${cells.join(', ')}) ON COMMIT DROP`)
  for (const file of load.files) await connection.copy('COPY _sluice_copy FROM STDIN (FORMAT csv)', file)
  const { columns, values } = selection(load)
  await connection.run(
    `INSERT INTO ${load.into} (${columns.map(quote).join(', ')}) SELECT ${values.join(', ')} FROM _sluice_copy`,
  )
  await connection.run('DROP TABLE _sluice_copy')
}
