import { PipelineError } from '../errors/index.ts'
import { bumpVersion } from './schema.ts'
import type { Column, DataType, Schema, Table } from './types.ts'

/** Changes of a column's type that keep every stored value, by the wider type. */
export const widenings: Partial<Record<DataType, readonly DataType[]>> = {
  double: ['bigint'],
  wei: ['bigint'],
  timestamp: ['date'],
  decimal: ['decimal'],
}

/**
 * What two runners, who began with the same schema, have made of it: the tables and columns of both. `undefined` when they
 * gave one column types that do not go together: then one of them has to read its rows again, with what the other found.
 */
export function unionOf(stored: Schema, own: Schema): Schema | undefined {
  const tables = together(stored.tables, own.tables, unionOfTables)
  if (tables === undefined) return undefined
  const union = { ...stored, ...own, tables, version: Math.max(stored.version, own.version) }
  Object.assign(union, { versionHash: stored.versionHash, previousHashes: [...stored.previousHashes] })
  bumpVersion(union)
  return union
}

function unionOfTables(stored: Table, own: Table): Table | undefined {
  const columns = together(stored.columns, own.columns, unionOfColumns)
  if (columns === undefined) return undefined
  return { ...stored, ...own, columns, seenData: stored.seenData || own.seenData }
}

/** What is in either; `unite` says what becomes of that which is in both. */
function together<T>(
  stored: ReadonlyMap<string, T>,
  own: ReadonlyMap<string, T>,
  unite: (stored: T, own: T) => T | undefined,
): Map<string, T> | undefined {
  const all = new Map(stored)
  for (const [name, one] of own) {
    const known = stored.get(name)
    const united = known === undefined ? one : unite(known, one)
    if (united === undefined) return undefined
    all.set(name, united)
  }
  return all
}

function unionOfColumns(stored: Column, own: Column): Column | undefined {
  // Whoever finds other values puts them into a variant column.
  if (stored.fixedType === true) return { ...own, ...stored }
  if (own.dataType === undefined) return { ...own, ...stored }
  if (stored.dataType === undefined) return { ...stored, ...own }
  const wider = widerOf(stored, own)
  if (wider === undefined) return undefined
  const beyondDouble = stored.beyondDouble === true || own.beyondDouble === true
  // A whole number that a double cannot hold stands in one of the two.
  if (beyondDouble && wider.dataType === 'double') return undefined
  const digits = Math.max(stored.integerDigits ?? 0, own.integerDigits ?? 0)
  return {
    ...stored,
    ...own,
    ...sizeOf(wider),
    ...(beyondDouble ? { beyondDouble } : {}),
    ...(digits === 0 ? {} : { integerDigits: digits }),
  }
}

function widerOf(stored: Column, own: Column): Column | undefined {
  if (JSON.stringify(sizeOf(stored)) === JSON.stringify(sizeOf(own))) return stored
  if (stored.dataType === own.dataType) return undefined
  if (widenings[stored.dataType!]?.includes(own.dataType!) === true) return stored
  return widenings[own.dataType!]?.includes(stored.dataType!) === true ? own : undefined
}

const sizeOf = ({ dataType, precision, scale, timezone }: Column): Partial<Column> => ({
  ...(dataType === undefined ? {} : { dataType }),
  ...(precision === undefined ? {} : { precision }),
  ...(scale === undefined ? {} : { scale }),
  ...(timezone === undefined ? {} : { timezone }),
})

/** Of two runners, the later one reads its rows again. */
export const schemaOvertaken = (name: string): PipelineError =>
  new PipelineError(`schema "${name}" was changed by another runner since this run began`, {
    code: 'PIPELINE_OVERTAKEN',
    recovery: 'retry',
    fix: 'run again: the rows are read with the types that the other one found; nothing of this run was written',
  })
