import { readFileSync } from 'node:fs'
import { decimal, ExactNumber, incremental, resource, source, withHints } from '../../src/index.ts'
import type { Dataset, Pipeline, ResourceContext, ResourceOptions } from '../../src/index.ts'
import { parseJson } from '../../src/extract/index.ts'

export interface Column {
  name: string
  data_type: string
  nullable: boolean
  hints: Record<string, unknown>
}
export interface TableState {
  columns?: Column[]
  rows: Record<string, unknown>[]
}
export interface DlTCase {
  id: string
  title: string
  input: { data: unknown[]; run: object; resource?: { name: string } & object }[] | null
  input_text: string[] | null
  incremental?: object
  resource?: object
  batches?: unknown[][]
  expected: (Record<string, never> & { title: string; raises?: string[]; tables?: Record<string, TableState> })[]
}
interface CaseFile {
  naming: Record<string, string>[]
  paths: Record<string, string>[]
  shorten_snake_case: { max: number; in: string; out: string }[]
  hash_vectors: { kind: string; input: string; id: string }[]
  cases: DlTCase[]
}

export const caseFile = parseJson(readFileSync(new URL('dlt-tables.json', import.meta.url), 'utf8')) as CaseFile

/** Tagged values of the case file as the library takes them. */
export function untag(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(untag)
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return value
  const { $float, $decimal } = value as { $float?: string; $decimal?: string }
  if ($float !== undefined) return new ExactNumber($float, 'double')
  if ($decimal !== undefined) return decimal($decimal)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, untag(inner)]))
}

/** dlt's snake_case options as ours; names of columns and tables stay. */
export function camelOptions(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      camel(key),
      camel(key) === 'columns' && typeof inner === 'object' ? columns(inner) : option(inner),
    ]),
  )
}
const camel = (key: string): string => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
const option = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? camelOptions(value) : value
const columns = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(camelOptions)
    : Object.fromEntries(Object.entries(value as object).map(([name, hints]) => [name, camelOptions(hints)]))

export interface Step {
  data: unknown
  options: Record<string, unknown>
  resourceName?: string
}

/** Inputs that the case file describes in words. */
const worded: Record<string, Step[] | Step[][]> = {
  C41: [0, 1, 2].map((maxTableNesting) => [
    {
      data: [{ id: 1, a: { b: { c: 1 } }, l: [{ m: [1], o: { z: { y: 2 } } }] }],
      options: { tableName: 't', maxTableNesting },
    },
  ]),
  C46: [
    {
      data: [
        {
          ['a'.repeat(70)]: 1,
          b: { ['c'.repeat(40)]: { ['d'.repeat(40)]: 1 } },
          ['l'.repeat(50)]: [{ ['m'.repeat(50)]: 1 }],
        },
      ],
      options: { tableName: 't' },
    },
  ],
  D37: [
    { data: [{ id: 1, x: null }], options: { tableName: 't' } },
    { data: [{ id: 2, x: 3 }], options: { tableName: 't' } },
  ],
  F25: [
    {
      data: [
        { d: 'a', l: [1] },
        { d: 'b', l: [2] },
      ],
      options: { tableName: 't', writeDisposition: 'merge', mergeKey: 'd' },
    },
    { data: [{ d: 'a', l: [5, 6] }], options: { tableName: 't', writeDisposition: 'merge', mergeKey: 'd' } },
  ],
  F27: [{ data: [{ id: null, v: 1 }], options: { tableName: 't', primaryKey: 'id' } }],
  I01: [
    {
      data: [
        { type: 'a', x: 1 },
        { type: 'B Type', y: 2 },
        { type: 'a', x: 3 },
      ],
      options: { tableName: (row: { type: string }) => row.type },
      resourceName: 'ev',
    },
  ],
  I03: [
    {
      data: [
        withHints([{ id: 1, d: '2024-01-01' }], {
          columns: { d: { dataType: 'date' } },
          primaryKey: 'id',
          writeDisposition: 'merge',
        }),
        { id: 2, d: '2024-01-02' },
      ],
      options: {},
      resourceName: 'ev',
    },
  ],
  I05: [
    {
      data: [{ id: 1, l: [{ x: '5', k: 1 }] }],
      options: {
        tableName: 't',
        writeDisposition: 'merge',
        primaryKey: 'id',
        nestedHints: { l: { primaryKey: 'k' } },
      },
    },
  ],
}

/** The runs of a case; several lists when each stands for itself. */
export function stepsOf(given: DlTCase): Step[][] | undefined {
  if (given.input !== null && given.input !== undefined) {
    return [
      given.input.map(({ data, run, resource: own }) => {
        const { name, ...hints } = own ?? ({} as { name?: string })
        return {
          data: untag(data),
          options: { ...camelOptions(hints), ...camelOptions(run) },
          ...(name === undefined ? {} : { resourceName: name }),
        }
      }),
    ]
  }
  const steps = worded[given.id]
  if (steps === undefined) return undefined
  return Array.isArray(steps[0]) ? (steps as Step[][]) : [steps as Step[]]
}

export async function runStep(target: Pipeline, { data, options, resourceName }: Step): Promise<void> {
  if (resourceName === undefined) await target.run(data as unknown[], options as ResourceOptions)
  else await target.run(resource(resourceName, data as unknown[], options as ResourceOptions))
}

const typeNames: Record<string, string> = {
  'character varying': 'text',
  'double precision': 'double',
  boolean: 'bool',
  'timestamp with time zone': 'timestamp',
  bigint: 'bigint',
  bytea: 'binary',
  jsonb: 'json',
  date: 'date',
  'time without time zone': 'time',
  VARCHAR: 'text',
  DOUBLE: 'double',
  BOOLEAN: 'bool',
  'TIMESTAMP WITH TIME ZONE': 'timestamp',
  BIGINT: 'bigint',
  BLOB: 'binary',
  JSON: 'json',
  'DECIMAL(38,0)': 'wei',
  DATE: 'date',
  TIME: 'time',
}

/** The tables as the database has them; hints come from the stored schema. */
export const readTables = (target: Pipeline, dataset: string): Promise<Record<string, TableState>> =>
  target.withDataset((data) => tablesIn(data, dataset))

async function tablesIn(data: Dataset, dataset: string): Promise<Record<string, TableState>> {
  const listed = await data
    .query<{ table_name: string; column_name: string; data_type: string }>(
      `select table_name, column_name, data_type from information_schema.columns where table_schema = '${dataset}' and left(table_name, 4) <> '_dlt' order by table_name, ordinal_position`,
    )
    .toArray()
  if (listed.length === 0) return {}
  const [version] = await data
    .query<{ schema: string }>(
      `select schema from ${dataset}._dlt_version order by inserted_at desc, version desc limit 1`,
    )
    .toArray()
  const stored = version === undefined ? undefined : (JSON.parse(version.schema) as StoredTables)
  const tables: Record<string, TableState> = {}
  for (const { table_name, column_name, data_type } of listed) {
    const { name, data_type: type, nullable, ...hints } = stored?.tables[table_name]?.columns[column_name] ?? {}
    delete hints['x-integer-digits']
    delete hints['x-beyond-double']
    tables[table_name] ??= { columns: [], rows: await data.table(table_name).toArray() }
    tables[table_name].columns!.push({
      name: String(name ?? column_name),
      // PostgreSQL has one name for decimals of all widths.
      data_type: typeNames[data_type] ?? (data_type === 'numeric' ? String(type) : 'decimal'),
      nullable: nullable !== false,
      hints,
    })
  }
  return tables
}
interface StoredTables {
  tables: Record<string, { columns: Record<string, Record<string, unknown>> }>
}

/** Runs one batch of an incremental case and tells what the cursor showed and kept. */
export async function runBatch(target: Pipeline, given: DlTCase, batch: unknown[]) {
  const { cursorPath, ...options } = camelOptions(given.incremental) as { cursorPath: string }
  let seen: Record<string, unknown> = {}
  const rows = resource(
    't',
    function* ({ cursor }: ResourceContext) {
      const text = (value: unknown): string | null => (value === undefined ? null : String(value))
      seen = {
        start: text(cursor?.startValue),
        last: text(cursor?.lastValue),
        initial: text(cursor?.initialValue),
        end: text(cursor?.endValue),
      }
      yield batch
    },
    { ...camelOptions(given.resource), incremental: incremental(cursorPath, options) },
  )
  // The lag shows in dlt's last value as well.
  const info = await target.run(source('s', [rows]))
  const state = (await target.state())?.sources.s?.resources?.t?.incremental?.[cursorPath]
  return { seen, loaded: info.rows.t ?? 0, state }
}
