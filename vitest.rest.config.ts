import { defineConfig } from 'vitest/config'
import config from './vitest.config.ts'

/** What `npm test` leaves out: slow tests, and those on engines that are installed from other registries first. */
export default defineConfig({
  test: {
    ...config.test,
    include: ['test/**/*.slow.test.ts', 'test/engines/**/*.test.ts'],
    exclude: [],
  },
})
