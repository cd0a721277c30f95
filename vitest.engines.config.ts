import { defineConfig } from 'vitest/config'

/** The second tier: stricter servers, which are installed from other registries first. */
// Another seed in each run; the reporter prints it after a failure.
process.env.SLUICE_TEST_SEED ??= String(Date.now() % 1_000_000)

export default defineConfig({
  test: {
    include: ['test/engines/**/*.test.ts'],
    reporters: process.env.CI === undefined ? ['default', './test/reporter.ts'] : ['dot', './test/reporter.ts'],
    globalSetup: ['test/support/servers.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
})
