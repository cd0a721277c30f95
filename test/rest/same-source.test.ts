import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Source } from '../../src/index.ts'
import { loadSourceFile, restSource, secret } from '../../src/sources/rest/index.ts'
import { api, freshPipeline, json, type TestApi } from '../support/api.ts'
import { rowsOf } from '../support/rest.ts'

/** Something of everything: parents, cursors, paging, bodies, headers, hints, names that look like the grammar's. */
const yaml = (baseUrl: string): string => `
name: shop
client:
  base_url: ${baseUrl}
  headers: { X_Custom_Header: plain, X-Other: { config: other_header } }
  auth: { type: api_key, name: X-Key, api_key: { secret: shop_key } }
  rate_limit: { requests: 1000, per_seconds: 1 }
  response_actions: [{ status_code: 404, action: ignore }]
resource_defaults:
  primary_key: id
  write_disposition: merge
  endpoint: { params: { page_size: 2 } }
resources:
  - name: shops
    rows: [{ shop_id: 1 }, { shop_id: 2 }]
  - name: orders
    table_name: shop_orders
    columns: { total_price: { data_type: decimal, precision: 10, scale: 2 } }
    include_from_parent: { shop_id: shop_number }
    endpoint:
      path: shops/{resources.shops.shop_id}/orders
      params: { order_by: created_at, filter: { min_price: 1 } }
      nested_params: brackets
      data_selector: order_list
      paginator: { type: page_number, base_page: 1, total_path: meta.page_count }
      incremental: { cursor_path: updated_at, start_param: updated_since, initial_value: '2024-01-01T00:00:00Z', on_cursor_value_missing: include }
  - name: searches
    write_disposition: { disposition: replace }
    endpoint: { path: search, method: POST, json: { sort_by: name, max_results: 5 }, data_selector: hits, paginator: single_page }
    nested_hints: { sub_items: { columns: { my_count: { data_type: double } } } }
  - missing
`

const typescript = (baseUrl: string): Source =>
  restSource({
    name: 'shop',
    client: {
      baseUrl,
      headers: { X_Custom_Header: 'plain', 'X-Other': secret('other_header') },
      auth: { type: 'api_key', name: 'X-Key', apiKey: secret('shop_key') },
      rateLimit: { requests: 1000, perSeconds: 1 },
      responseActions: [{ statusCode: 404, action: 'ignore' }],
    },
    resourceDefaults: { primaryKey: 'id', writeDisposition: 'merge', endpoint: { params: { page_size: 2 } } },
    resources: [
      { name: 'shops', rows: [{ shop_id: 1 }, { shop_id: 2 }] },
      {
        name: 'orders',
        tableName: 'shop_orders',
        columns: { total_price: { dataType: 'decimal', precision: 10, scale: 2 } },
        includeFromParent: { shop_id: 'shop_number' },
        endpoint: {
          path: 'shops/{resources.shops.shop_id}/orders',
          params: { order_by: 'created_at', filter: { min_price: 1 } },
          nestedParams: 'brackets',
          dataSelector: 'order_list',
          paginator: { type: 'page_number', basePage: 1, totalPath: 'meta.page_count' },
          incremental: {
            cursorPath: 'updated_at',
            startParam: 'updated_since',
            initialValue: '2024-01-01T00:00:00Z',
            onCursorValueMissing: 'include',
          },
        },
      },
      {
        name: 'searches',
        writeDisposition: { disposition: 'replace' },
        endpoint: {
          path: 'search',
          method: 'POST',
          json: { sort_by: 'name', max_results: 5 },
          dataSelector: 'hits',
          paginator: 'single_page',
        },
        nestedHints: { sub_items: { columns: { my_count: { dataType: 'double' } } } },
      },
      'missing',
    ],
  })

const shop = (): Promise<TestApi & { bodies: string[] }> => {
  const bodies: string[] = []
  return api((_request, response, url, body) => {
    bodies.push(body)
    const shopOf = /^\/shops\/(\d)\/orders$/.exec(url.pathname)?.[1]
    const page = Number(url.searchParams.get('page'))
    if (url.pathname === '/search')
      return json(response, { hits: [{ id: 1, sub_items: [{ my_count: 3 }, { my_count: 4 }] }] })
    if (shopOf === undefined) return json(response, {}, 404)
    const order = (n: number) => ({
      id: Number(shopOf) * 100 + n,
      total_price: 9.5 + n,
      updated_at: `2025-01-0${n}T00:00:00Z`,
      lines: [{ sku: `s${n}` }],
    })
    json(response, { order_list: [order(page)], meta: { page_count: 3 } })
  }).then((target) => ({ ...target, bodies }))
}

it('a source file and its twin in TypeScript send the same requests and load the same tables, run after run', async () => {
  process.env.SOURCES__SHOP__SHOP_KEY = 'shop-key-1234'
  process.env.SOURCES__SHOP__OTHER_HEADER = 'other-value'
  const outcomes = []
  for (const kind of ['yaml', 'json', 'typescript'] as const) {
    const target = await shop()
    const folder = mkdtempSync(join(tmpdir(), 'sluice-same-'))
    const path = join(folder, `shop.source.${kind}`)
    const source = async (): Promise<Source> => {
      if (kind === 'typescript') return typescript(target.baseUrl)
      const { parse } = await import('yaml')
      const text = yaml(target.baseUrl)
      writeFileSync(path, kind === 'yaml' ? text : JSON.stringify(parse(text)))
      return loadSourceFile(path)
    }
    const into = freshPipeline()
    await into.run(await source())
    const info = await into.run(await source())
    const tables = ['shop_orders', 'shop_orders__lines', 'searches', 'searches__sub_items']
    const columns = await into
      .dataset()
      .query(
        "select table_name, column_name, data_type from information_schema.columns where table_schema = 'data' and column_name not like '\\_dlt%' escape '\\' and table_name not like '\\_dlt%' escape '\\' order by 1, 2",
      )
      .toArray()
    outcomes.push({
      requests: target.requests.toSorted(),
      bodies: target.bodies.toSorted(),
      headers: target.headers.map((one) => [one['x-key'], one['x_custom_header'], one['x-other']]),
      second: info.rows,
      columns,
      rows: await Promise.all(tables.map((table) => rowsOf(into, table))),
    })
  }
  delete process.env.SOURCES__SHOP__SHOP_KEY
  delete process.env.SOURCES__SHOP__OTHER_HEADER
  const [first, ...others] = outcomes
  for (const other of others) expect(other).toEqual(first)
  expect(first!.rows.map((rows) => rows.length)).toEqual([6, 6, 1, 2])
  expect(first!.headers[0]).toEqual(['shop-key-1234', 'plain', 'other-value'])
  expect(first!.requests.filter((one) => decodeURIComponent(one).includes('filter[min_price]=1'))).toHaveLength(12)
  expect(first!.bodies).toContain('{"sort_by":"name","max_results":5}')
})
