import type { LoadInfo, Pipeline, RunEvent } from '../../src/index.ts'
import { restSource, type ClientSpec, type RestSourceSpec } from '../../src/sources/rest/index.ts'
import { freshPipeline, type TestApi } from './api.ts'

export interface Loaded {
  pipeline: Pipeline
  info: LoadInfo
  events: RunEvent[]
  /** Rows of a table without the system's columns, in the order of their ids. */
  rows(table: string): Promise<Record<string, unknown>[]>
}

/** Loads resources from a test API into a fresh DuckDB file. */
export async function load(
  target: Pick<TestApi, 'baseUrl'>,
  resources: RestSourceSpec['resources'],
  client: Partial<ClientSpec> = {},
  into: Pipeline = freshPipeline(),
): Promise<Loaded> {
  const events: RunEvent[] = []
  const stop = into.on((event) => events.push(event))
  const source = restSource({ name: 's', client: { baseUrl: target.baseUrl, backoffMs: 5, ...client }, resources })
  try {
    const info = await into.run(source)
    return { pipeline: into, info, events, rows: (table) => rowsOf(into, table) }
  } finally {
    stop()
  }
}

export async function rowsOf(from: Pipeline, table: string): Promise<Record<string, unknown>[]> {
  const rows = await from.dataset().table<Record<string, unknown>>(table).toArray()
  const own = rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('_dlt_'))))
  const key = (row: object): string =>
    Object.entries(row)
      .sort()
      .map(([name, value]) => `${name}=${String(value)}`)
      .join('\n')
  return own.sort((a, b) => {
    const [left, right] = [a.id ?? key(a), b.id ?? key(b)] as [string, string]
    return left < right ? -1 : left > right ? 1 : 0
  })
}
