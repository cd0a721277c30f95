/** Measures what the REST client makes of latency and of a rate budget: `npm run bench:rest`. */
import { mkdtempSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duckdb } from '../src/destinations/duckdb/duckdb.ts'
import { pipeline } from '../src/index.ts'
import { restSource, type ClientSpec, type EndpointSpec } from '../src/sources/rest/index.ts'

process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
const latencyMs = 50
const pages = 100
let arrived: number[] = []

const server = createServer((request, response) => {
  arrived.push(performance.now())
  const url = new URL(request.url!, 'http://127.0.0.1')
  const page = Number(url.searchParams.get('page') ?? 1)
  const body =
    url.pathname === '/numbered'
      ? { items: [{ id: page }], page, total_pages: pages }
      : { items: [{ id: page }], next: page < pages ? `${url.pathname}?page=${page + 1}` : null }
  setTimeout(() => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }, latencyMs)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

async function read(name: string, endpoint: EndpointSpec, client: Partial<ClientSpec> = {}): Promise<number> {
  arrived = []
  const source = restSource({ name, client: { baseUrl, ...client }, resources: [{ name, endpoint }] })
  await pipeline({ name, destination: duckdb({ path: ':memory:' }), dataset: 'bench' }).run(source)
  return arrived.at(-1)! - arrived[0]! + latencyMs
}

const line = (what: string, value: string): void => console.log(`${what.padEnd(58)} ${value.padStart(10)}`)
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

// A warm process, as any but the first source of a run finds it.
await read('warm', { path: 'numbered' })
line(
  `${pages} pages of ${latencyMs} ms by links, one after the other`,
  seconds(await read('linked', { path: 'linked' })),
)
line(`${pages} pages of ${latencyMs} ms by page number`, seconds(await read('numbered', { path: 'numbered' })))
const rateLimit = { requests: 20, perSeconds: 1 }
const took = await read('limited', { path: 'numbered' }, { rateLimit })
// The first window's requests leave at once: what counts is the time in which the others had to come.
const used =
  (pages - rateLimit.requests) / (((arrived.at(-rateLimit.requests)! - arrived[0]!) / 1000) * rateLimit.requests)
line(`the same, allowed 20 a second`, seconds(took))
line(`of the allowed budget used`, `${(100 * used).toFixed(1)} %`)
const most = Math.max(...arrived.map((from) => arrived.filter((at) => at >= from && at < from + 1000).length))
line(`most requests that arrived in any one second`, String(most))
server.close()
