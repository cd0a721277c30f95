import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const sources = fileURLToPath(new URL('../../src/dashboard/app', import.meta.url))
const page = fileURLToPath(new URL('../../dashboard-page', import.meta.url))

/** Builds the page of the dashboard when its sources are newer. While it is built, no test must read it. */
export async function buildDashboardPage(): Promise<void> {
  const built = statSync(join(page, 'index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' })
  const newest = Math.max(...files.map((file) => statSync(join(sources, file)).mtimeMs))
  if (newest >= built) await build({ configFile: join(sources, 'vite.config.ts'), logLevel: 'warn' })
}
