import { defineConfig } from 'vitest/config'

/** The second tier: stricter servers, which are installed from other registries first. */
export default defineConfig({
  test: {
    include: ['test/engines/**/*.test.ts'],
    reporters: process.env.CI === undefined ? ['default', './test/reporter.ts'] : ['dot', './test/reporter.ts'],
    globalSetup: ['test/engines/servers.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
})
