/** @module-tag slow */
import { describe, expect, it } from 'vitest'
import { failpoints } from '../../src/failpoints/index.ts'
import { destinationNames } from '../support/destinations.ts'
import { endsExactlyRightAtSteps } from './any-step.ts'
import { scenarioNames } from './world.ts'

/** Steps of what is not a run: sent rows, webhooks, schedules and work items have tests of their own. */
const notOfRuns = /^(send|journal|message|schedule|item)-/

describe.runIf(destinationNames.includes('filesystem'))('filesystem', () => {
  const passed = endsExactlyRightAtSteps('filesystem', scenarioNames, 5)

  it('passes every step that a run can take', () => {
    expect(failpoints.filter((step) => !passed.has(step) && !notOfRuns.test(step))).toEqual([])
  })
})
