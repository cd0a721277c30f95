/** A shop's API with everything a dashboard has to show: pages, limits, failures, changes. */
import { createServer, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PipelineError, pipeline, type Pipeline } from '../../src/index.ts'
import { restSource, secret } from '../../src/sources/rest/index.ts'

const perPage = 100
const cities = ['Lisbon', 'Kyoto', 'Lima', 'Oslo', 'Accra', 'Hanoi']
const first = Date.UTC(2026, 8, 1)
export const shopKey = 'sk_test_4f8a1c99d2'

const order = (id: number, isLate: boolean) => ({
  id,
  placed_at: new Date(first + id * 1_700_000).toISOString(),
  status: ['paid', 'paid', 'sent', 'sent', 'sent', 'returned'][id % 6],
  total: `${10 + ((id * 37) % 400)}.${String((id * 7) % 100).padStart(2, '0')}`,
  customer: { id: id % 150, city: cities[id % 6], is_member: id % 4 === 0 },
  items: Array.from({ length: 1 + (id % 3) }, (_, at) => ({
    sku: `A-${(id + at) % 40}`,
    quantity: 1 + ((id + at) % 4),
  })),
  ...(id % 9 === 0 ? { note: 'Leave it at the door, please.' } : {}),
  ...(isLate ? { channel: id % 2 === 0 ? 'web' : 'app' } : {}),
})

export interface Shop {
  url: string
  /** How many orders there are by now. */
  orders: number
  /** Orders have a channel from now on. */
  isLate: boolean
  /** Answers orders with an error. */
  isBroken: boolean
  /** How long each answer takes. */
  slowMs: number
  close(): Promise<void>
}

export async function openShop(): Promise<Shop> {
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://127.0.0.1')
    setTimeout(() => answer(url, response), shop.slowMs)
  })
  let limited = 0
  const answer = (url: URL, response: ServerResponse): void => {
    const page = Number(url.searchParams.get('page') ?? 1)
    if (url.pathname === '/orders') {
      if (shop.isBroken && page > 1) return send(response, 403, { error: 'this key may no longer read orders' })
      if (page === 3 && limited++ % 2 === 0)
        return send(response, 429, { error: 'too many requests' }, { 'retry-after': '0.3' })
      const from = (page - 1) * perPage
      const ids = Array.from({ length: Math.max(0, Math.min(perPage, shop.orders - from)) }, (_, at) => from + at + 1)
      return send(response, 200, { data: ids.map((id) => order(id, shop.isLate && id > 600)), page })
    }
    if (url.pathname === '/products') {
      const data = Array.from({ length: 40 }, (_, id) => ({
        sku: `A-${id}`,
        name: `Article ${id}`,
        price: 5 + id,
        tags: ['new', 'sale'].slice(0, id % 3),
      }))
      return send(response, 200, { data: page === 1 ? data : [] })
    }
    if (url.pathname === '/customers') {
      const data = Array.from({ length: 100 }, (_, id) => ({
        id,
        name: `Customer ${id}`,
        city: cities[id % 6],
        since: '2026-09-01',
      }))
      return send(response, 200, { data })
    }
    return send(response, 404, { error: 'not found' })
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const shop: Shop = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    orders: 420,
    isLate: false,
    isBroken: false,
    slowMs: 0,
    async close() {
      server.close()
      server.closeAllConnections()
    },
  }
  return shop
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

export const shopSource = (url: string) =>
  restSource({
    name: 'shop',
    client: {
      baseUrl: url,
      auth: { type: 'bearer', token: secret('api_key') },
      paginator: { type: 'page_number', basePage: 1, totalPath: null, stopAfterEmptyPage: true },
    } as never,
    resourceDefaults: { writeDisposition: 'merge' },
    resources: [
      {
        name: 'orders',
        primaryKey: 'id',
        columns: { total: { dataType: 'decimal', precision: 12, scale: 2 } },
        endpoint: {
          path: 'orders',
          dataSelector: 'data',
          params: { since: { type: 'incremental', cursorPath: 'placed_at', initialValue: '2026-09-01T00:00:00Z' } },
        },
      },
      { name: 'products', primaryKey: 'sku', endpoint: { path: 'products', dataSelector: 'data' } },
      // Its paginator is missing, on purpose: a hundred rows look like a first page.
      {
        name: 'customers',
        primaryKey: 'id',
        endpoint: { path: 'customers', dataSelector: 'data', paginator: 'single_page' },
      },
    ] as never,
  })

/** Runs of some days: growth, a change of the API, a failure. Then one run a day, by moving the dates of their records. */
export async function shopHistory(shop: Shop, days = 14): Promise<Pipeline> {
  process.env.SOURCES__SHOP__API_KEY = shopKey
  const target = pipeline({ name: 'shop', dataset: 'shop_data' })
  for (let day = 0; day < days; day++) {
    shop.orders += 20 + ((day * 31) % 60)
    shop.isLate = day > 8
    shop.isBroken = day === 10
    try {
      await target.run(shopSource(shop.url))
    } catch (error) {
      if (!shop.isBroken || !(error instanceof PipelineError)) throw error
    }
    shop.isBroken = false
  }
  moveBack(join(target.dataDir, 'runs'))
  return target
}

const dayMs = 86_400_000

function moveBack(folder: string): void {
  const ids = readdirSync(folder)
    .filter((name) => /^\d.*\w\.json$/.test(name))
    .sort()
  for (const [at, name] of ids.entries()) {
    const run = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { id: string; startedAt: string }
    const startedAt = new Date(Date.parse(run.startedAt) - (ids.length - 1 - at) * dayMs - 47 * 60_000).toISOString()
    const id = startedAt.replaceAll(/[-:.Z]/g, '') + run.id.slice(18)
    writeFileSync(join(folder, `${id}.json`), JSON.stringify({ ...run, id, startedAt }))
    renameSync(join(folder, `${run.id}.requests.jsonl`), join(folder, `${id}.requests.jsonl`))
    if (id !== run.id) rmSync(join(folder, name))
  }
}
