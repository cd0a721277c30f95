/** @module-tag slow */
import { describe } from 'vitest'
import { destinationNames } from '../support/destinations.ts'
import { someOf } from '../support/effort.ts'
import { endsExactlyRightAtSteps } from './any-step.ts'
import { scenarioNames } from './world.ts'

describe.runIf(destinationNames.includes('duckdb'))(
  'duckdb',
  () => void endsExactlyRightAtSteps('duckdb', someOf(scenarioNames, 4, 11), 3),
)
