import { isSystemTable, type Column, type DataType, type Schema } from './types.ts'
import { typedColumns } from './schema.ts'

/** What reading a column gives, on every destination: nothing is rounded, so long numbers are text. */
const typeNames: Record<DataType, (column: Column) => string> = {
  text: () => 'string',
  double: () => 'number',
  bool: () => 'boolean',
  timestamp: () => 'string',
  bigint: () => 'Integer',
  binary: () => 'Uint8Array',
  json: () => 'string',
  decimal: ({ precision, scale }) => (precision !== undefined && (scale ?? 0) === 0 ? 'Integer' : 'string'),
  wei: () => 'Integer',
  date: () => 'string',
  time: () => 'string',
}

const key = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name))

function columnLine(column: Column): string {
  const type = typeNames[column.dataType!](column) + (column.nullable === false ? '' : ' | null')
  // Nothing that a description says may end the comment.
  const note = column.description === undefined ? '' : `    /** ${oneLine(column.description)} */\n`
  return `${note}    ${key(column.name)}: ${type}`
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll('*/', '* /').trim()

/** TypeScript types of all tables that have rows, for `dataset<Tables>()`. */
export function tableTypes(schemas: readonly Schema[], pipeline: string): string {
  const tables = schemas.flatMap((schema) => [...schema.tables.values()])
  const filled = tables.filter((table) => table.seenData && !isSystemTable(table.name))
  const bodies = filled
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((table) => `  ${key(table.name)}: {\n${typedColumns(table).map(columnLine).join('\n')}\n  }`)
  return [
    `// Written by: sluice types ${pipeline}. Write it again when the schema has changed.`,
    '',
    '/** A whole number; beyond ±2^53 it comes as text. */',
    'export type Integer = number | string',
    '',
    'export interface Tables {',
    ...bodies,
    '}',
    '',
  ].join('\n')
}
