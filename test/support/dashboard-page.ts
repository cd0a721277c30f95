import { fileURLToPath } from 'node:url'
import { build } from 'vite'

/** Builds the page of the dashboard from its sources. */
export async function buildDashboardPage(): Promise<void> {
  const configFile = fileURLToPath(new URL('../../src/dashboard/app/vite.config.ts', import.meta.url))
  await build({ configFile, logLevel: 'warn' })
}
