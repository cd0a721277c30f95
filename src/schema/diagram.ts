import { typedColumns } from './schema.ts'
import { isSystemTable, type Schema, type Table } from './types.ts'

const shownTables = (schema: Schema): Table[] =>
  [...schema.tables.values()].filter((table) => !isSystemTable(table.name) && typedColumns(table).length > 0)

/** An entity diagram for mermaid. */
export function mermaid(schema: Schema): string {
  const tables = shownTables(schema)
  const entities = tables.flatMap((table) => [
    `    ${quoted(table.name)} {`,
    ...typedColumns(table).map(
      (column) => `        ${column.dataType} ${column.name}${column.primaryKey === true ? ' PK' : ''}`,
    ),
    '    }',
  ])
  const links = tables
    .filter((table) => table.parent !== undefined)
    .map((table) => `    ${quoted(table.parent!)} ||--o{ ${quoted(table.name)} : "_dlt_parent_id"`)
  return ['erDiagram', ...entities, ...links].join('\n')
}

/** The schema in DBML, for dbdiagram and others. */
export function dbml(schema: Schema): string {
  const tables = shownTables(schema).map((table) => {
    const columns = typedColumns(table).map((column) => {
      const settings = [
        ...(column.primaryKey === true ? ['pk'] : []),
        ...(column.unique === true ? ['unique'] : []),
        ...(column.nullable === false ? ['not null'] : []),
      ]
      return `  ${quoted(column.name)} ${column.dataType}${settings.length === 0 ? '' : ` [${settings.join(', ')}]`}`
    })
    return [`Table ${quoted(table.name)} {`, ...columns, '}'].join('\n')
  })
  const references = shownTables(schema)
    .filter((table) => table.parent !== undefined && table.columns.has('_dlt_parent_id'))
    .map((table) => `Ref: ${quoted(table.name)}._dlt_parent_id > ${quoted(table.parent!)}._dlt_id`)
  return [...tables, ...references].join('\n\n')
}

const quoted = (name: string): string => `"${name.replaceAll('"', "'")}"`
