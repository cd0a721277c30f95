import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium as playwright, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { startDashboard, type Dashboard } from '../../src/dashboard/server.ts'
import { running } from './running.ts'

export interface Visit {
  page: Page
  context: BrowserContext
  /** What the page wrote to its console as an error, errors that nobody caught, and answers that were errors. */
  complaints: string[]
}

export interface Bench {
  dashboard: Dashboard
  browser: Browser
  /** Opens a path of the dashboard in a window of its own. */
  visit(path: string, options?: Parameters<Browser['newContext']>[0]): Promise<Visit>
}

/** A dashboard and a browser for the tests of a file; working data is in a folder of its own. */
export function browserBench(): Bench {
  const bench = {} as Bench
  const folder = mkdtempSync(join(tmpdir(), 'sluice-dashboard-'))
  const before = process.cwd()
  beforeAll(async () => {
    process.env.SLUICE_DATA_DIR = join(folder, 'data')
    process.chdir(folder)
    bench.dashboard = await startDashboard({ port: 0 })
    bench.browser = await playwright.launch(await running('chromium'))
    bench.visit = async (path, options = {}) => {
      const context = await bench.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
      context.setDefaultTimeout(60_000)
      const page = await context.newPage()
      const complaints: string[] = []
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('console', (message) => {
        // Answers are told below, with what they say.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
          complaints.push(message.text())
        }
      })
      page.on('response', async (response) => {
        if (response.status() >= 400) complaints.push(`${response.url()} ${await response.text().catch(() => '')}`)
      })
      await page.goto(bench.dashboard.url(path))
      return { page, context, complaints }
    }
  })
  afterAll(async () => {
    await bench.browser?.close()
    await bench.dashboard?.close()
    process.chdir(before)
  })
  return bench
}

/** Writes into the SQL editor, when it has come with its first proposal. */
export async function writeSql(page: Page, sql: string): Promise<void> {
  const editor = page.locator('.cm-content')
  await expect.poll(() => editor.innerText()).toContain('SELECT *')
  await editor.click()
  await page.keyboard.press('Control+A')
  await page.keyboard.press('Delete')
  await page.keyboard.insertText(sql)
}
