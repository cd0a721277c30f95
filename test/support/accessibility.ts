import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface AxeResult {
  violations: { id: string; nodes: { html: string; failureSummary: string }[] }[]
}

/** What axe finds wrong with a page, three places of each kind. */
export async function violations(page: Page): Promise<string[]> {
  // By the debugger's way: the page itself allows no foreign script.
  await page.evaluate(axe)
  const result = (await page.evaluate('axe.run({ resultTypes: ["violations"] })')) as AxeResult
  return result.violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary.slice(0, 300)}`),
  )
}
