import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

type Row = Record<string, unknown>

const modules = new URL('../../node_modules/', import.meta.url)
const readJson = (path: string): unknown => JSON.parse(readFileSync(new URL(path, modules), 'utf8'))

/** Films with their quirks: titles that are numbers, dates in several spellings, missing values. */
export const movies = (): Row[] => readJson('vega-datasets/data/movies.json') as Row[]

/** Every emoji with its codes and its skin tones. */
export const emoji = (): Row[] => readJson('emoji-datasource/emoji.json') as Row[]

/** What every browser supports: one row a feature, from a tree of 20 MB with keys of all kinds. */
export function features(): Row[] {
  const rows: Row[] = []
  const visit = (node: Row, path: string[]): void => {
    for (const [key, value] of Object.entries(node)) {
      if (key === '__compat') rows.push({ path: path.join('.'), ...(value as Row) })
      else if (typeof value === 'object' && value !== null && key !== '__meta') visit(value as Row, [...path, key])
    }
  }
  const { browsers: _, ...areas } = readJson('@mdn/browser-compat-data/data.json') as Row
  visit(areas, [])
  return rows
}

export interface RealData {
  baseUrl: string
  close(): void
}

/** Serves the files as an API would: `{ data, page, total_pages }`. */
export async function serveRealData(): Promise<RealData> {
  const tables: Record<string, Row[]> = { '/movies': movies(), '/emoji': emoji(), '/features': features() }
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://127.0.0.1')
    const rows = tables[url.pathname] ?? []
    const size = Number(url.searchParams.get('per_page') ?? 500)
    const page = Number(url.searchParams.get('page') ?? 1)
    response.setHeader('content-type', 'application/json')
    const data = rows.slice((page - 1) * size, page * size)
    response.end(JSON.stringify({ data, page, total_pages: Math.ceil(rows.length / size) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }
}
