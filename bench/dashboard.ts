/** How soon the dashboard is there: `npm run bench:dashboard`. Chromium without a cache, five times, the middle one. */
import { gzipSync } from 'node:zlib'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium as playwright } from 'playwright-core'
import { startDashboard } from '../src/dashboard/server.ts'
import { pipeline } from '../src/index.ts'
import { installChromium } from '../test/support/chromium.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
process.env.SLUICE_DATA_DIR = join(folder, 'data')
process.chdir(folder)
const rows = Array.from({ length: 100_000 }, (_, id) => ({
  id,
  name: `row ${id}`,
  tags: id % 3 === 0 ? ['a', 'b'] : [],
}))
await pipeline({ name: 'bench', dataset: 'bench_data' }).run(rows, { tableName: 'rows' })

const dashboard = await startDashboard({ port: 0 })
const browser = await playwright.launch(await installChromium())

async function opened(path: string, ready: string): Promise<{ paint: number; ready: number }> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const begun = performance.now()
  await page.goto(dashboard.url(path))
  await page.locator(ready).first().waitFor()
  const there = performance.now() - begun
  const paint = await page.evaluate<number>(`performance.getEntriesByName('first-contentful-paint')[0].startTime`)
  await context.close()
  return { paint, ready: there }
}

const middle = (values: number[]): string => `${Math.round(values.sort((a, b) => a - b)[2]!)} ms`
for (const [title, path, ready] of [
  ['pipelines', '/', '.list td'],
  ['a pipeline', '/p/bench', '.list td'],
  ['100,000 rows', '/p/bench/data/rows', '.grid-cell:not(.absent)'],
  ['SQL', '/p/bench/sql', '.cm-content'],
] as const) {
  const all = []
  for (let at = 0; at < 5; at++) all.push(await opened(path, ready))
  const paint = middle(all.map((one) => one.paint))
  console.log(
    `${title.padEnd(14)} first paint ${paint.padStart(7)}   shown after ${middle(all.map((one) => one.ready)).padStart(7)}`,
  )
}
const assets = new URL('../dashboard-page/assets/', import.meta.url)
const size = (name: RegExp): string => {
  const files = readdirSync(assets).filter((one) => name.test(one))
  const bytes = files.reduce((sum, one) => sum + gzipSync(readFileSync(new URL(one, assets))).length, 0)
  return `${Math.round(bytes / 1000)} KB`
}
console.log(`sent, compressed: page ${size(/^index/)}, SQL editor ${size(/^editor/)}`)
await browser.close()
await dashboard.close()
