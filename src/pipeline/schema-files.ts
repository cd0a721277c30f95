import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { mostBytes, parseDocument, readBounded } from '../config/index.ts'
import { PipelineError } from '../errors/index.ts'
import {
  applyColumnHints,
  schemaFromStored,
  storedSchema,
  typedColumns,
  type Schema,
  type StoredSchema,
} from '../schema/index.ts'

/** Where schemas are written after a run, and where edited ones are read before it. */
export interface SchemaFiles {
  exportSchemaPath?: string
  importSchemaPath?: string
}

const fileOf = (folder: string, schema: Schema): string => join(folder, `${schema.name}.schema.yaml`)

/**
 * Takes over what an edited `<source>.schema.yaml` says about columns. The first run writes that file, with tables but
 * without columns, so that a person adds only what should be different from what is inferred.
 */
export function importSchema({ importSchemaPath: folder }: SchemaFiles, schema: Schema): void {
  if (folder === undefined || !existsSync(fileOf(folder, schema))) return
  const path = fileOf(folder, schema)
  const edited = readSchema(path)
  for (const table of edited.tables.values()) {
    const known = schema.tables.get(table.name)
    for (const column of typedColumns(table)) {
      const stored = known?.columns.get(column.name)?.dataType
      if (stored === undefined || stored === column.dataType || known?.seenData !== true) continue
      throw new PipelineError(
        `${path}: ${table.name}.${column.name} is ${stored} in the destination, not ${column.dataType}`,
        {
          code: 'CONFIG_INVALID',
          fix: `keep ${stored}, or load the resource anew with refresh: 'drop_resources'`,
        },
      )
    }
    const imported = [...table.columns.values()]
    if (known === undefined) {
      schema.tables.set(table.name, { ...table, seenData: false, imported })
    } else {
      known.imported = imported
      applyColumnHints(known, imported)
    }
  }
}

function readSchema(path: string): Schema {
  const text = readBounded(path, mostBytes.yaml)
  try {
    return schemaFromStored(parseDocument(text, 'yaml') as StoredSchema)
  } catch (error) {
    if (error instanceof PipelineError) throw error
    // The first line of a parser's message names the place; the rest quotes the file.
    const reason =
      error instanceof TypeError
        ? 'tables or columns are missing or misplaced'
        : (error as Error).message.split('\n')[0]!
    throw new PipelineError(`${path} is not a schema file: ${reason}`, {
      code: 'CONFIG_INVALID',
      fix: 'correct the file; or delete it, and the next run writes it again',
      cause: error,
    })
  }
}

/** Writes the schema for people and version control, and an empty one to edit when there is none yet. */
export function exportSchema(files: SchemaFiles, schema: Schema): void {
  const stored = storedSchema(schema)
  if (files.exportSchemaPath !== undefined) write(fileOf(files.exportSchemaPath, schema), stored)
  if (files.importSchemaPath !== undefined && !existsSync(fileOf(files.importSchemaPath, schema))) {
    const tables = Object.fromEntries(
      Object.entries(stored.tables).map(([name, { columns: _, 'x-normalizer': _n, ...table }]) => [
        name,
        { ...table, columns: {} },
      ]),
    )
    write(fileOf(files.importSchemaPath, schema), { ...stored, tables })
  }
}

function write(path: string, stored: object): void {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, stringify(stored))
}
