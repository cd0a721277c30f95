import { describe } from 'vitest'
import { destinationNames as chosen } from '../support/destinations.ts'
import { someOf } from '../support/effort.ts'
import { endsExactlyRightAtSteps } from './any-step.ts'
import { destinationNames } from './trial.ts'
import { scenarioNames } from './world.ts'

// The slow tests next to this one kill every kind of load.
const destinations = destinationNames.filter((name) => chosen.includes(name))
describe.each(destinations.map((name, at) => [name, at] as const))('%s', (name, at) => {
  endsExactlyRightAtSteps(name, someOf(scenarioNames, 1, at), 1)
})
