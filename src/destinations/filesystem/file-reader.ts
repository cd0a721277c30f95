import { literal, quote } from '../duckdb/dialect.ts'
import { inParallel } from '../in-parallel.ts'
import type { ObjectStore } from '../stores/index.ts'
import { fileColumn, formatOfPath } from './formats.ts'
import type { ManifestFile, ManifestTable } from './manifest.ts'

/** The column in which `selectWithPaths` tells where a row stands. */
export const pathColumn = '_sluice_path'

/** Reads files of tables with DuckDB; objects of buckets are fetched once. */
export class FileReader {
  /** The local paths that its SQL names. */
  readonly opened = new Set<string>()
  private readonly store: ObjectStore
  private readonly folder: string

  constructor(store: ObjectStore, folder: string) {
    this.store = store
    this.folder = folder
  }

  /** SQL for the rows of some files, each column in the type it has now; files that came before a column have null. */
  async select(table: ManifestTable, files: readonly ManifestFile[]): Promise<string> {
    return this.selecting(table, files, Object.keys(table.columns), false)
  }

  /** The same for some columns, with the path of the file that each row stands in. */
  async selectWithPaths(
    table: ManifestTable,
    files: readonly ManifestFile[],
    columns: readonly string[],
  ): Promise<string> {
    return this.selecting(table, files, columns, true)
  }

  private async selecting(
    { columns, shapes }: ManifestTable,
    files: readonly ManifestFile[],
    wanted: readonly string[],
    withPaths: boolean,
  ): Promise<string> {
    const typed = wanted.map((name) => [name, columns[name] ?? 'VARCHAR'] as const)
    // The empty row set first: it gives every column its name and type, also those that no file has yet.
    const nulls = typed.map(([name, type]) => `CAST(NULL AS ${type}) AS ${quote(name)}`)
    if (withPaths) nulls.push(`'' AS ${pathColumn}`)
    const parts = [`SELECT ${nulls.join(', ')} WHERE FALSE`]
    const local = await inParallel(files, ({ path }) => this.store.fetch(path, this.folder))
    for (const path of local) this.opened.add(path)
    for (const group of groupsToReadTogether(files)) {
      const { shape, path } = files[group[0]!]!
      const written = shapes[shape]!
      const values = typed
        .filter(([name]) => Object.hasOwn(written, name))
        .map(([name, type]) => `CAST(${quote(name)} AS ${type}) AS ${quote(name)}`)
      if (withPaths) values.push(pathOf(group.map((at) => [local[at]!, files[at]!.path])))
      const paths = group.map((at) => literal(local[at]!))
      parts.push(`SELECT ${values.join(', ')} FROM ${formatOfPath(path).read(paths, written)}`)
    }
    return parts.join(' UNION ALL BY NAME ')
  }
}

/** Files of one format and one shape. Of different types, they would all get the types of the first. */
function groupsToReadTogether(files: readonly ManifestFile[]): number[][] {
  const groups = new Map<string, number[]>()
  for (const [at, { path, shape }] of files.entries()) {
    const key = `${shape} ${formatOfPath(path).extension}`
    const group = groups.get(key) ?? []
    group.push(at)
    groups.set(key, group)
  }
  return [...groups.values()]
}

function pathOf(files: readonly (readonly [local: string, path: string])[]): string {
  const entries = files.map(([local, path]) => `${literal(local)}: ${literal(path)}`)
  return `MAP {${entries.join(', ')}}[${fileColumn}] AS ${pathColumn}`
}
