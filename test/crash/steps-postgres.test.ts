/** @module-tag slow */
import { describe } from 'vitest'
import { destinationNames } from '../support/destinations.ts'
import { endsExactlyRightAtSteps } from './any-step.ts'
import { scenarioNames } from './world.ts'

describe.runIf(destinationNames.includes('postgres'))(
  'postgres',
  () => void endsExactlyRightAtSteps('postgres', scenarioNames, 5),
)
