import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// Another seed in each run; the reporter prints it after a failure.
process.env.SLUICE_TEST_SEED ??= String(Date.now() % 1_000_000)
// Tests start some thousand processes from TypeScript sources: a third of the time when Node keeps what it compiled.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/sluice-tests')

/**
 * All tests but those in `test/engines`, which `vitest.rest.config.ts` adds. `npm test` leaves out `*.slow.test.ts`, so that it
 * takes minutes; `npm run test:rest` runs what it leaves out. CONTRIBUTING.md has the table.
 */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/engines/**'],
    reporters: process.env.CI === undefined ? ['default', './test/reporter.ts'] : ['dot', './test/reporter.ts'],
    globalSetup: ['test/support/servers.ts'],
    setupFiles: ['test/support/setup.ts'],
    // Most of them wait for programs and servers of their own.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
})
