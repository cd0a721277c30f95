import { failpoint } from '../../failpoints/index.ts'
import {
  randomRowId,
  schemaEngineVersion,
  schemaFromStored,
  schemaOvertaken,
  storedSchema,
  system,
  unionOf,
  type Column,
  type Schema,
  type StoredSchema,
} from '../../schema/index.ts'
import { PipelineError } from '../../errors/index.ts'
import type { Ledger, LedgerWriter, SqlConnection, SqlValue, StateRow } from '../destination.ts'
import { tableNames } from './catalog.ts'
import type { SqlNames } from './statements.ts'

const text = (name: string, nullable = false): Column => ({ name, dataType: 'text', nullable })
const bigint = (name: string): Column => ({ name, dataType: 'bigint', nullable: false })
const timestamp = (name: string): Column => ({ name, dataType: 'timestamp', nullable: false })

/** dlt's three tables of its own, column for column. */
const systemTables: Record<string, Column[]> = {
  [system.loads]: [
    text('load_id'),
    text('schema_name', true),
    bigint('status'),
    timestamp('inserted_at'),
    text('schema_version_hash', true),
  ],
  [system.version]: [
    bigint('version'),
    bigint('engine_version'),
    timestamp('inserted_at'),
    text('schema_name'),
    text('version_hash'),
    text('schema'),
  ],
  [system.state]: [
    bigint('version'),
    bigint('engine_version'),
    text('pipeline_name'),
    text('state'),
    timestamp('created_at'),
    text('version_hash', true),
    text(system.loadId),
    text(system.id),
  ],
}

/** Creates dataset and system tables where they are missing: a role may lack the right to create what is there already. */
export async function createSystemTables(connection: SqlConnection, sql: SqlNames, dataset: string): Promise<void> {
  const stored = (name: string): string => sql.dialect.storedName?.(name) ?? name
  const names = Object.keys(systemTables).map(stored)
  const found = await tableNames(connection, sql, dataset)
  const enter = async (): Promise<void> => {
    if (sql.dialect.enter !== undefined) await connection.run(sql.dialect.enter(dataset))
  }
  if (found !== undefined && names.every((name) => found.has(name))) return enter()
  // Two first loads of a dataset: IF NOT EXISTS does not keep the second one from failing.
  if (sql.dialect.lock !== undefined) await connection.run(sql.dialect.lock(`sluice dataset ${dataset}`))
  if (found === undefined) await connection.run(`CREATE SCHEMA IF NOT EXISTS ${sql.column(dataset)}`)
  for (const [table, columns] of Object.entries(systemTables)) {
    if (found?.has(stored(table)) === true) continue
    const definitions = columns.map(
      (column) =>
        `${sql.column(column.name)} ${sql.dialect.typeName(column)}${column.nullable === false ? ' NOT NULL' : ''}`,
    )
    const options = sql.dialect.tableOptions?.() ?? ''
    await connection.run(`CREATE TABLE IF NOT EXISTS ${sql.table(table)} (${definitions.join(', ')})${options}`)
  }
  await enter()
}

export function sqlLedger(
  connection: SqlConnection,
  sql: SqlNames,
  exists: (table: string) => Promise<boolean>,
): Ledger {
  return {
    async hasLoad(loadId) {
      return (await exists(system.loads)) && hasLoad(connection, sql, loadId)
    },
    async readState(pipeline) {
      if (!(await exists(system.state))) return undefined
      // A state counts only with its load: the ledger row is written last.
      const [row] = await connection.rows(
        `SELECT s.version, s.engine_version, s.pipeline_name, s.state, s.version_hash FROM ${sql.table(system.state)} AS s ` +
          `JOIN ${sql.table(system.loads)} AS l ON l.load_id = s._dlt_load_id ` +
          `WHERE s.pipeline_name = $1 AND l.status = 0 ORDER BY s.version DESC, l.load_id DESC LIMIT 1`,
        [pipeline],
      )
      if (row === undefined) return undefined
      return {
        version: Number(row.version),
        engineVersion: Number(row.engine_version),
        pipelineName: String(row.pipeline_name),
        state: String(row.state),
        versionHash: String(row.version_hash ?? ''),
      }
    },
    async readSchema(name) {
      if (!(await exists(system.version))) return undefined
      return newestSchema(connection, sql, name)
    },
  }
}

/**
 * The one with the highest version: clocks of several machines do not agree on what is new. Where a database has no lock, two
 * runners may have written that version at the same moment; then it is what both have found.
 */
async function newestSchema(connection: SqlConnection, sql: SqlNames, name: string): Promise<string | undefined> {
  const table = sql.table(system.version)
  const rows = await connection.rows(
    `SELECT schema FROM ${table} WHERE schema_name = $1 AND version = ` +
      `(SELECT MAX(version) FROM ${table} WHERE schema_name = $1) ORDER BY inserted_at DESC`,
    [name],
  )
  const [first, ...others] = rows.map(({ schema }) => String(schema))
  if (first === undefined || others.length === 0) return first
  const [newest, ...rest] = [first, ...others].map((text) => schemaFromStored(JSON.parse(text) as StoredSchema))
  return JSON.stringify(storedSchema(rest.reduce((all, one) => unionOf(one, all) ?? all, newest!)))
}

async function hasLoad(connection: SqlConnection, sql: SqlNames, loadId: string): Promise<boolean> {
  const rows = await connection.rows(
    `SELECT 1 AS found FROM ${sql.table(system.loads)} WHERE load_id = $1 AND status = 0`,
    [loadId],
  )
  return rows.length > 0
}

async function hasSchema(connection: SqlConnection, sql: SqlNames, { name, versionHash }: Schema): Promise<boolean> {
  const rows = await connection.rows(
    `SELECT 1 AS found FROM ${sql.table(system.version)} WHERE schema_name = $1 AND version_hash = $2`,
    [name, versionHash],
  )
  return rows.length > 0
}

/**
 * Two runners of one pipeline, on two machines, may have read the same rows. The first to commit moves the state on; the
 * other then finds its own state outdated, and nothing of it is written.
 */
async function refuseStale(connection: SqlConnection, sql: SqlNames, state: StateRow): Promise<void> {
  if (sql.dialect.lock !== undefined) await connection.run(sql.dialect.lock(`sluice ${state.pipelineName}`))
  if (sql.dialect.lockByUpdate === true) {
    await connection.run(`UPDATE ${sql.table(system.state)} SET version = version WHERE pipeline_name = $1`, [
      state.pipelineName,
    ])
  }
  const newer = `SELECT 1 AS found FROM ${sql.table(system.state)} WHERE pipeline_name = $1 AND version >= $2`
  await refuseIf(
    connection,
    newer,
    [state.pipelineName, state.version],
    new PipelineError(`pipeline "${state.pipelineName}" was loaded by another runner since this run began`, {
      code: 'PIPELINE_OVERTAKEN',
      recovery: 'retry',
      fix: 'run again: it goes on from where the other runner came to; nothing of this run was written',
    }),
  )
}

/** As for a state, where no lock has kept another runner from changing the schema since this one looked at it. */
async function refuseStaleSchema(connection: SqlConnection, sql: SqlNames, { name, version }: Schema): Promise<void> {
  await refuseIf(
    connection,
    `SELECT 1 AS found FROM ${sql.table(system.version)} WHERE schema_name = $1 AND version >= $2`,
    [name, version],
    schemaOvertaken(name),
  )
}

async function refuseIf(
  connection: SqlConnection,
  query: string,
  values: readonly SqlValue[],
  refusal: Error,
): Promise<void> {
  if (connection.refuseIf !== undefined) return connection.refuseIf(query, values, refusal)
  if ((await connection.rows(query, values)).length > 0) throw refusal
}

export function sqlLedgerWriter(connection: SqlConnection, sql: SqlNames): LedgerWriter {
  const insert = (table: string, values: (string | number | null)[]): Promise<void> => {
    const columns = systemTables[table]!
    const places = columns.map((column, index) => `CAST($${index + 1} AS ${sql.dialect.typeName(column)})`)
    return connection.run(
      `INSERT INTO ${sql.table(table)} (${sql.columns(columns.map((column) => column.name))}) VALUES (${places.join(', ')})`,
      values,
    )
  }
  return {
    hasLoad: (loadId) => hasLoad(connection, sql, loadId),
    hasSchema: (schema) => hasSchema(connection, sql, schema),
    async lockSchema(name) {
      if (sql.dialect.lock !== undefined) {
        await connection.run(sql.dialect.lock(`sluice schema ${sql.table(system.version)} ${name}`))
      }
      return newestSchema(connection, sql, name)
    },
    async write({ loadId, schema, schemaKnown, state }) {
      if (state !== undefined) await refuseStale(connection, sql, state)
      const now = new Date().toISOString()
      if (!schemaKnown) {
        await refuseStaleSchema(connection, sql, schema)
        const stored = JSON.stringify(storedSchema(schema))
        await insert(system.version, [
          schema.version,
          schemaEngineVersion,
          now,
          schema.name,
          schema.versionHash,
          stored,
        ])
        failpoint('schema-written')
      }
      if (state !== undefined) {
        await insert(system.state, [
          state.version,
          state.engineVersion,
          state.pipelineName,
          state.state,
          now,
          state.versionHash,
          loadId,
          randomRowId(),
        ])
        failpoint('state-written')
      }
      await insert(system.loads, [loadId, schema.name, 0, now, schema.versionHash])
      failpoint('ledger-written')
    },
  }
}
