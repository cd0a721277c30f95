/** Each view on data of real runs: what it tells, that it is accessible in light and dark, and how it looks. */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { run as demo } from '../../src/cli/commands/demo.ts'
import type { Pipeline } from '../../src/index.ts'
import { violations } from '../support/accessibility.ts'
import { browserBench, writeSql } from '../support/browser.ts'
import { openShop, shopHistory, shopKey } from './shop.ts'
import { tiered } from '../support/effort.ts'

/** `npm run docs:dashboard` keeps the pictures for the documentation. */
const pictures =
  process.env.DASHBOARD_PICTURES === undefined
    ? mkdtempSync(join(tmpdir(), 'sluice-pictures-'))
    : join(import.meta.dirname, '../../docs/images/dashboard')

const bench = browserBench()
let shop: Pipeline

beforeAll(async () => {
  const api = await openShop()
  shop = await shopHistory(api)
  await api.close()
  await demo([])
  mkdirSync(pictures, { recursive: true })
}, 120_000)

interface View {
  name: string
  path(): string
  /** What it must tell. */
  tells: (string | RegExp)[]
  /** Steps before it is looked at. */
  steps?(page: Page): Promise<unknown>
}

const run = (status: string) => shop.runs().find((one) => one.status === status)!
const shopUrl = (...parts: string[]): string => ['/p', 'shop', ...parts].join('/')

const views: View[] = [
  {
    name: 'home',
    path: () => '/',
    tells: ['All 6 pipelines fine', 'shop', 'demo_chaport', 'duckdb'],
  },
  {
    name: 'overview',
    path: () => shopUrl(),
    tells: ['Rows by run', 'orders', 'orders__items', 'Run now', 'Drop all tables'],
  },
  {
    name: 'runs',
    path: () => shopUrl('runs'),
    tells: ['14 runs', 'failed', 'done', 'Compare the chosen two'],
  },
  {
    name: 'run',
    path: () => shopUrl('runs', run('done').id),
    tells: [
      '3 resources',
      'Timeline',
      'package 1',
      'Settings used',
      'waited',
      /exactly 100 rows on one page/,
      'SOURCES__SHOP__API_KEY',
      '429',
    ],
  },
  {
    name: 'failed-run',
    path: () => shopUrl('runs', run('failed').id),
    tells: ['HTTP_STATUS', 'answered 403', 'fix', /\d of 3 resources read/],
  },
  {
    name: 'compare',
    path: () => shopUrl('compare', shop.runs().at(-1)!.id, shop.runs()[0]!.id),
    tells: ['tables have other counts', 'Requests', 'Difference'],
  },
  {
    name: 'data',
    path: () => shopUrl('data', 'orders'),
    tells: ['1,001 rows', 'placed_at', 'Most frequent', 'returned'],
    steps: (page) => page.getByRole('button', { name: /^status/ }).click(),
  },
  {
    name: 'tables',
    path: () => shopUrl('data'),
    tells: ['5 tables', 'products__tags', '_dlt_loads'],
  },
  {
    name: 'sql',
    path: () => shopUrl('sql'),
    tells: ['reads only', 'revenue by city', '6 rows'],
    async steps(page) {
      await writeSql(
        page,
        'select customer__city as city, sum(total) as revenue from shop_data.orders group by 1 order by 2 desc',
      )
      await page.getByRole('button', { name: /^Run/ }).click()
      await page.getByRole('button', { name: 'Chart' }).click()
    },
  },
  {
    name: 'schema',
    path: () => '/p/demo_chaport/schema',
    tells: ['chat__events', 'visitors', 'key', '11 tables'],
  },
  {
    name: 'schema-changes',
    path: () => shopUrl('schema', 'changes'),
    tells: ['+ orders.channel text', 'The first version.'],
  },
  {
    name: 'requests',
    path: () => shopUrl('requests', run('done').id),
    tells: ['requests kept', 'Answered in', 'too many requests', '***'],
    steps: (page) => page.getByRole('row', { name: /429/ }).getByRole('button').click(),
  },
  {
    name: 'state',
    path: () => shopUrl('state'),
    tells: ['1 cursor', 'placed_at', 'How they moved', 'All of the state'],
  },
  {
    name: 'packages',
    path: () => shopUrl('packages'),
    tells: ['13 packages, all loaded', 'orders__items'],
    steps: (page) => page.locator('.fold').first().click(),
  },
]

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  for (const [{ name, path, tells, steps }, options] of tiered(views, 2))
    it(name, options, async () => {
      const { page, context, complaints } = await bench.visit(path(), { colorScheme })
      await steps?.(page)
      await telling(page, tells)
      const broken = await violations(page)
      expect(broken).toEqual([])
      expect(await page.content()).not.toContain(shopKey)
      if (colorScheme === 'light' || name === 'run') {
        await page.mouse.move(640, 790)
        await page.screenshot({ path: join(pictures, colorScheme === 'light' ? `${name}.png` : `${name}-dark.png`) })
      }
      expect(complaints).toEqual([])
      await context.close()
    })
})

for (const [{ name, path, tells, steps }, options] of tiered(views, 1, 1))
  it(`${name}, on a phone`, options, async () => {
    const { page, context, complaints } = await bench.visit(path(), { viewport: { width: 390, height: 844 } })
    await steps?.(page)
    await telling(page, tells)
    // What is wider than the screen scrolls in a place of its own.
    const width = await page.evaluate('document.documentElement.scrollWidth')
    if (name === 'run') await page.screenshot({ path: join(pictures, 'run-phone.png') })
    expect(width).toBeLessThanOrEqual(390)
    expect(complaints).toEqual([])
    await context.close()
  })

/** Waits until the page shows all of it. */
async function telling(page: Page, tells: View['tells']): Promise<void> {
  await expect
    .poll(async () => {
      const text = await page.locator('body').innerText()
      return tells.filter((one) => (typeof one === 'string' ? !text.includes(one) : !one.test(text)))
    })
    .toEqual([])
}
