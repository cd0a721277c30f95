import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import LongestFirst from './test/longest-first.ts'

// Another seed in each run; the reporter prints it after a failure.
process.env.SLUICE_TEST_SEED ??= String(Date.now() % 1_000_000)
// Tests start some thousand processes from TypeScript sources: a third of the time when Node keeps what it compiled.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/sluice-tests')

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A test, a suite or (`@module-tag`) a file without a tag runs with `npm test`. CONTRIBUTING.md says what has which and why.
    tags: [
      { name: 'slow', description: 'Takes long: runs with `npm run test:rest`.' },
      { name: 'engine', description: 'Needs an engine that is installed from another registry: `npm run test:rest`.' },
    ],
    reporters: process.env.CI === undefined ? ['default', './test/reporter.ts'] : ['dot', './test/reporter.ts'],
    globalSetup: ['test/support/servers.ts'],
    setupFiles: ['test/support/setup.ts'],
    sequence: { sequencer: LongestFirst },
    // Most of them wait for programs and servers of their own: one more than a small machine has processors keeps these busy.
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/dashboard/app/**'],
      reporter: ['json'],
      reportOnFailure: true,
    },
  },
})
