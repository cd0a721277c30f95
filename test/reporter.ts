import type { Reporter, TestModule } from 'vitest/node'

/** Prints `N passed, N failed`, the line that continuous integration reads, and the seed to repeat a failure with. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    let passed = 0
    let failed = 0
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') passed += 1
        if (state === 'failed') failed += 1
      }
      // A file that could not even be loaded has no tests to count.
      if (module.state() === 'failed' && [...module.children.allTests()].length === 0) failed += 1
    }
    const { SLUICE_TEST_SEED } = process.env
    if (failed > 0) console.log(`repeat with the same seed: SLUICE_TEST_SEED=${SLUICE_TEST_SEED} npm test -- <file>`)
    console.log(`${passed} passed, ${failed} failed`)
  }
}
