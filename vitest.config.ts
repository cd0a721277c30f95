import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/engines/**'],
    reporters: process.env.CI === undefined ? ['default', './test/reporter.ts'] : ['dot', './test/reporter.ts'],
    globalSetup: [
      'test/support/dashboard-page.ts',
      'test/support/postgres-server.ts',
      'test/support/bucket-servers.ts',
    ],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
