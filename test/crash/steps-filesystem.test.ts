/** @module-tag slow */
import { describe, expect, it } from 'vitest'
import { failpoints } from '../../src/failpoints/index.ts'
import { destinationNames } from '../support/destinations.ts'
import { endsExactlyRightAtSteps } from './any-step.ts'
import { scenarioNames } from './world.ts'

/** Steps with tests of their own: takeovers of locks, sent rows, webhooks, schedules, work items, refused packages. */
const notOfRuns =
  /^(send|journal|message|schedule|item)-|^(lock-claimed|package-split|refusal-noted|package-set-aside|failed-moved-out)$/

describe.runIf(destinationNames.includes('filesystem'))('filesystem', () => {
  const passed = endsExactlyRightAtSteps('filesystem', scenarioNames, 1)

  it('passes every step that a run can take', () => {
    expect(failpoints.filter((step) => !passed.has(step) && !notOfRuns.test(step))).toEqual([])
  })
})
