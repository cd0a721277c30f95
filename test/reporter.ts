import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node'

/**
 * Prints a failed test when it fails, and in the end `N passed, N failed`, the line that continuous integration reads, with the
 * seed to repeat a failure. `.ci/run` finds the failures by how their lines begin.
 * `SLUICE_TEST_DURATIONS=<file>` writes how many seconds each test file took, the longest first.
 */
export default class CountReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const { state, errors } = test.result()
    if (state !== 'failed') return
    tell(`${test.module.relativeModuleId} > ${test.fullName}`, errors)
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    let passed = 0
    let failed = 0
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') passed += 1
        if (state === 'failed') failed += 1
      }
      // A file that could not even be loaded has no tests to count.
      if (module.state() === 'failed' && [...module.children.allTests()].length === 0) {
        failed += 1
        tell(module.relativeModuleId, module.errors())
      }
    }
    if (unhandled.length > 0) {
      failed += 1
      tell('an error that no test caught', unhandled)
    }
    const { SLUICE_TEST_DURATIONS, SLUICE_TEST_SEED } = process.env
    if (SLUICE_TEST_DURATIONS !== undefined) writeFileSync(SLUICE_TEST_DURATIONS, durationsOf(modules))
    if (failed > 0) console.log(`repeat: SLUICE_TEST_SEED=${SLUICE_TEST_SEED} npx vitest run <file>`)
    console.log(`${passed} passed, ${failed} failed`)
  }
}

function tell(what: string, errors: readonly { message: string }[] = []): void {
  const [first = ''] = (errors[0]?.message ?? '').split('\n')
  console.log(`\nfailed: ${what}\n  ${first}`)
}

function durationsOf(modules: readonly TestModule[]): string {
  const seconds = modules.map((module): [string, number] => {
    const { collectDuration, setupDuration, duration } = module.diagnostic()
    const file = relative(process.cwd(), module.moduleId)
    return [file, Math.round((collectDuration + setupDuration + duration) / 100) / 10]
  })
  return `${JSON.stringify(Object.fromEntries(seconds.sort(([, a], [, b]) => b - a)), undefined, 2)}\n`
}
