import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Seconds by test file, as `SLUICE_TEST_DURATIONS=test/durations.json npm run test:all` wrote them. */
const durations = JSON.parse(readFileSync(new URL('durations.json', import.meta.url), 'utf8')) as Record<string, number>

/** Starts the longest files first, so that the last one to end does not run alone; files without a duration come before them. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const secondsOf = ({ moduleId, project }: TestSpecification): number =>
      durations[relative(project.config.root, moduleId)] ?? Infinity
    return files.sort((a, b) => {
      const [first, second] = [secondsOf(a), secondsOf(b)]
      return first === second ? 0 : second - first
    })
  }
}
