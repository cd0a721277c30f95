import { refuseNewer } from '../errors/index.ts'
import type { Column, DataType, Schema, Table, WriteDispositionOptions } from './types.ts'

/** dlt's stored form of a schema (engine version 11), as it stands in `_dlt_version`. */
export interface StoredSchema {
  version: number
  version_hash: string
  previous_hashes: string[]
  engine_version: number
  name: string
  tables: Record<string, StoredTable>
  settings: Record<string, unknown>
  normalizers: Record<string, unknown>
}
type StoredTable = Record<string, unknown> & { columns: Record<string, Record<string, unknown>> }

export const schemaEngineVersion = 11

// Where dlt's key is not simply the snake_case of ours.
const specialKeys: Record<string, string> = {
  validFrom: 'x-valid-from',
  validTo: 'x-valid-to',
  rowVersion: 'x-row-version',
  activeRecordTimestamp: 'x-active-record-timestamp',
  beyondDouble: 'x-beyond-double',
  integerDigits: 'x-integer-digits',
  wasRequired: 'x-was-required',
  fixedType: 'x-fixed-type',
}
const specialNames = Object.fromEntries(Object.entries(specialKeys).map(([ours, stored]) => [stored, ours]))

const toStoredKey = (key: string): string =>
  specialKeys[key] ?? key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const fromStoredKey = (key: string): string =>
  specialNames[key] ?? key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const mapKeys = (object: object, rename: (key: string) => string): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(object)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [rename(key), value]),
  )

/** A column with dlt's key names. */
const storedColumn = (column: Column): Record<string, unknown> => mapKeys(column, toStoredKey)

function storedTable(table: Table): StoredTable {
  const columns = Object.fromEntries([...table.columns].map(([name, column]) => [name, storedColumn(column)]))
  const stored: StoredTable = { ...table.kept, name: table.name, columns }
  if (table.parent !== undefined) stored.parent = table.parent
  if (table.resource !== undefined) stored.resource = table.resource
  if (table.description !== undefined) stored.description = table.description
  if (table.writeDisposition !== undefined) {
    const { disposition, strategy, ...options } = table.writeDisposition
    stored.write_disposition = disposition
    if (strategy !== undefined) stored['x-merge-strategy'] = strategy
    if (Object.keys(options).length > 0) stored['x-sluice-disposition'] = options
  }
  if (table.seenData) stored['x-normalizer'] = { ...(table.kept?.['x-normalizer'] as object), 'seen-data': true }
  return stored
}

export function storedSchema(schema: Schema): StoredSchema {
  return {
    settings: { detections: ['iso_timestamp'] },
    normalizers: { names: 'snake_case', json: { module: 'dlt.common.normalizers.json.relational' } },
    ...schema.kept,
    version: schema.version,
    version_hash: schema.versionHash,
    previous_hashes: schema.previousHashes,
    engine_version: schemaEngineVersion,
    name: schema.name,
    tables: Object.fromEntries([...schema.tables].map(([name, table]) => [name, storedTable(table)])),
  }
}

const ownTableKeys = [
  'name',
  'columns',
  'parent',
  'resource',
  'description',
  'write_disposition',
  'x-merge-strategy',
  'x-sluice-disposition',
]
const ownSchemaKeys = ['version', 'version_hash', 'previous_hashes', 'engine_version', 'name', 'tables']

function others(stored: object, own: readonly string[]): { kept?: Record<string, unknown> } {
  const entries = Object.entries(stored).filter(([key]) => !own.includes(key))
  return entries.length === 0 ? {} : { kept: Object.fromEntries(entries) }
}

function tableFromStored(stored: StoredTable, name: string): Table {
  const columns = new Map<string, Column>()
  for (const [key, column] of Object.entries(stored.columns)) {
    columns.set(key, { ...mapKeys(column, fromStoredKey), name: key } as Column & { dataType: DataType })
  }
  const table: Table = {
    ...others(stored, ownTableKeys),
    name,
    columns,
    seenData: (stored['x-normalizer'] as Record<string, unknown> | undefined)?.['seen-data'] === true,
  }
  if (typeof stored.parent === 'string') table.parent = stored.parent
  if (typeof stored.resource === 'string') table.resource = stored.resource
  if (typeof stored.description === 'string') table.description = stored.description
  if (typeof stored.write_disposition === 'string') {
    table.writeDisposition = {
      ...(stored['x-sluice-disposition'] as object | undefined),
      disposition: stored.write_disposition as WriteDispositionOptions['disposition'],
      ...(stored['x-merge-strategy'] === undefined
        ? {}
        : { strategy: stored['x-merge-strategy'] as NonNullable<WriteDispositionOptions['strategy']> }),
    }
  }
  return table
}

/** Reads a stored schema, dlt's own included. */
export function schemaFromStored(stored: StoredSchema): Schema {
  refuseNewer(`schema "${stored.name}"`, stored.engine_version, schemaEngineVersion)
  return {
    ...others(stored, ownSchemaKeys),
    name: stored.name,
    tables: new Map(Object.entries(stored.tables).map(([name, table]) => [name, tableFromStored(table, name)])),
    version: stored.version,
    versionHash: stored.version_hash,
    previousHashes: stored.previous_hashes ?? [],
  }
}
