import { defineConfig } from 'vitest/config'

/** Tests that measure: nothing else of ours runs beside them. */
const measured = ['test/bench/**/*.test.ts', 'test/rest/throughput.test.ts']
const timeouts = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 60_000 } } }

// Another seed in each run; the reporter prints it after a failure.
process.env.SLUICE_TEST_SEED ??= String(Date.now() % 1_000_000)

export default defineConfig({
  test: {
    reporters: process.env.CI === undefined ? ['default', './test/reporter.ts'] : ['dot', './test/reporter.ts'],
    projects: [
      {
        test: {
          name: 'all',
          include: ['test/**/*.test.ts'],
          exclude: ['test/engines/**', ...measured],
          globalSetup: ['test/support/servers.ts'],
          // Most of them wait for programs and servers of their own.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          ...timeouts,
        },
      },
      {
        test: { name: 'measured', include: measured, maxWorkers: 1, sequence: { groupOrder: 1 }, ...timeouts },
      },
    ],
  },
})
