/** @module-tag slow */
import { describe } from 'vitest'
import { destinationNames } from '../support/destinations.ts'
import { someOf } from '../support/effort.ts'
import { endsExactlyRightAtSteps } from './any-step.ts'
import { scenarioNames } from './world.ts'

describe.runIf(destinationNames.includes('postgres'))(
  'postgres',
  () => void endsExactlyRightAtSteps('postgres', someOf(scenarioNames, 4, 12), 3),
)
