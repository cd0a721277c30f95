import { PipelineError } from '../../errors/index.ts'

/** What a placeholder of one's own is computed from. */
export interface LayoutContext {
  schemaName: string
  tableName: string
  loadId: string
}

export type ExtraPlaceholders = Record<string, string | ((context: LayoutContext) => string)>

/** What tells one file from all others; without one of them, a load would overwrite another's file. */
const required = ['table_name', 'load_id', 'file_id', 'ext'] as const

/** Where the files of tables stand, dlt's default: `events/1749667187.541553.0.parquet`. */
export const defaultLayout = '{table_name}/{load_id}.{file_id}.{ext}'

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

const two = (value: number): string => String(value).padStart(2, '0')

/** dlt's tokens of the load's time, in UTC. A second try of a load gives the same names. */
const timeTokens: Record<string, (time: Date) => string> = {
  timestamp: (time) => String(Math.floor(time.getTime() / 1000)),
  timestamp_ms: (time) => String(time.getTime()),
  load_package_timestamp: (time) => String(Math.floor(time.getTime() / 1000)),
  load_package_timestamp_ms: (time) => String(time.getTime()),
  curr_date: (time) => time.toISOString().slice(0, 10),
  YYYY: (time) => String(time.getUTCFullYear()),
  YY: (time) => two(time.getUTCFullYear() % 100),
  Y: (time) => String(time.getUTCFullYear()),
  MMMM: (time) => months[time.getUTCMonth()]!,
  MMM: (time) => months[time.getUTCMonth()]!.slice(0, 3),
  MM: (time) => two(time.getUTCMonth() + 1),
  M: (time) => String(time.getUTCMonth() + 1),
  DD: (time) => two(time.getUTCDate()),
  D: (time) => String(time.getUTCDate()),
  HH: (time) => two(time.getUTCHours()),
  H: (time) => String(time.getUTCHours()),
  dddd: (time) => days[time.getUTCDay()]!,
  ddd: (time) => days[time.getUTCDay()]!.slice(0, 3),
  dd: (time) => days[time.getUTCDay()]!.slice(0, 2),
  d: (time) => String(time.getUTCDay()),
  mm: (time) => two(time.getUTCMinutes()),
  m: (time) => String(time.getUTCMinutes()),
  ss: (time) => two(time.getUTCSeconds()),
  s: (time) => String(time.getUTCSeconds()),
  Q: (time) => String(Math.floor(time.getUTCMonth() / 3) + 1),
}

/** Refuses layouts with unknown placeholders, or under which two files could have one name. */
export function checkLayout(layout: string, extra: ExtraPlaceholders): void {
  const used = [...layout.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1]!)
  const known = [...required, 'schema_name', ...Object.keys(timeTokens), ...Object.keys(extra)]
  const unknown = used.find((name) => !known.includes(name))
  const missing = required.filter((name) => !used.includes(name))
  const problem =
    unknown !== undefined
      ? `has {${unknown}}, which is no placeholder`
      : missing.length > 0
        ? `has no {${missing[0]}}`
        : !layout.endsWith('{ext}')
          ? 'does not end with {ext}'
          : /^\/|\/\/|(^|\/)\.{1,2}(\/|$)/.test(layout)
            ? 'leads out of the folder'
            : undefined
  if (problem === undefined) return
  throw new PipelineError(`layout: "${layout}" ${problem}`, {
    code: 'WRONG_USE',
    fix: `use {table_name}, {load_id}, {file_id} and, at the end, {ext}; the default is ${defaultLayout}; all are listed in docs/destinations.md`,
  })
}

export interface FileName extends LayoutContext {
  fileId: number
  extension: string
  /** Hive partitions become folders before the last part of the layout. */
  partition: Record<string, string | null>
}

/** The path of a file below its dataset. */
export function pathOfFile(layout: string, extra: ExtraPlaceholders, file: FileName): string {
  const { schemaName, tableName, loadId, fileId, extension, partition } = file
  const time = new Date(Number(loadId) * 1000)
  const values: Record<string, string> = {
    schema_name: schemaName,
    // Under another naming convention a name may hold a slash.
    table_name: tableName.replaceAll('/', '%2F'),
    load_id: loadId,
    file_id: String(fileId),
    ext: extension,
  }
  const value = (name: string): string => {
    const own = extra[name]
    if (own !== undefined) return typeof own === 'string' ? own : own({ schemaName, tableName, loadId })
    return values[name] ?? timeTokens[name]!(time)
  }
  const path = layout.replaceAll(/\{([^{}]*)\}/g, (_match, name: string) => value(name)).split('/')
  return [...path.slice(0, -1), ...hiveFolders(partition), path.at(-1)!].join('/')
}

const hiveFolders = (partition: Record<string, string | null>): string[] =>
  Object.entries(partition).map(
    ([column, value]) => `${column}=${value === null ? '__HIVE_DEFAULT_PARTITION__' : encodeURIComponent(value)}`,
  )
