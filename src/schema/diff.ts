import { typedColumns } from './schema.ts'
import type { Column, Schema, Table } from './types.ts'

const described = (column: Column): string => {
  const size =
    column.precision === undefined
      ? ''
      : `(${column.precision}${column.scale === undefined ? '' : `, ${column.scale}`})`
  return `${column.dataType}${size}${column.nullable === false ? ' not null' : ''}`
}

/** What changed between two versions of a schema, a line each: `+ users.email text`, `~ users.age bigint → double`. */
export function diffSchemas(before: Schema, after: Schema): string[] {
  const names = [...new Set([...before.tables.keys(), ...after.tables.keys()])]
    .filter((name) => !name.startsWith('_dlt_'))
    .sort()
  return names.flatMap((name) => diffTables(name, before.tables.get(name), after.tables.get(name)))
}

function diffTables(name: string, before: Table | undefined, after: Table | undefined): string[] {
  const old = new Map(
    before === undefined ? [] : typedColumns(before).map((column) => [column.name, described(column)]),
  )
  const now = new Map(after === undefined ? [] : typedColumns(after).map((column) => [column.name, described(column)]))
  const lines: string[] = []
  if (old.size === 0 && now.size > 0) lines.push(`+ ${name}`)
  if (old.size > 0 && now.size === 0) return [`- ${name}`]
  for (const [column, type] of now) {
    const was = old.get(column)
    if (was === undefined) lines.push(`+ ${name}.${column} ${type}`)
    else if (was !== type) lines.push(`~ ${name}.${column} ${was} → ${type}`)
  }
  for (const [column, type] of old) if (!now.has(column)) lines.push(`- ${name}.${column} ${type}`)
  return lines
}
