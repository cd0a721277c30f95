import { fileURLToPath } from 'node:url'
import { build } from 'vite'

/** Builds the page of the dashboard as it is now, for the tests that look at it. */
export async function setup(): Promise<void> {
  const configFile = fileURLToPath(new URL('../../src/dashboard/app/vite.config.ts', import.meta.url))
  await build({ configFile, logLevel: 'warn' })
}
