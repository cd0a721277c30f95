/** @module-tag slow */
import { describe } from 'vitest'
import { destinationNames } from '../support/destinations.ts'
import { endsExactlyRightAtSteps } from './any-step.ts'
import { scenarioNames } from './world.ts'

describe.runIf(destinationNames.includes('duckdb'))(
  'duckdb',
  () => void endsExactlyRightAtSteps('duckdb', scenarioNames, 5),
)
