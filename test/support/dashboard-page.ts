import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import type { TestProject } from 'vitest/node'
import { installChromium, type Chromium } from './chromium.ts'

declare module 'vitest' {
  interface ProvidedContext {
    chromium: Chromium
  }
}

/** Builds the page of the dashboard as it is now, and unpacks the browser that looks at it. */
export async function setup({ provide }: TestProject): Promise<void> {
  const configFile = fileURLToPath(new URL('../../src/dashboard/app/vite.config.ts', import.meta.url))
  await build({ configFile, logLevel: 'warn' })
  provide('chromium', await installChromium())
}
