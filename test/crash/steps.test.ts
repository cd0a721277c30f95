import { describe } from 'vitest'
import { destinationNames as chosen } from '../support/destinations.ts'
import { someOf } from '../support/effort.ts'
import { endsExactlyRightAtSteps } from './any-step.ts'
import { destinationNames } from './trial.ts'
import { scenarioNames } from './world.ts'

// The slow tests next to this one kill every kind of load into every destination.
const destinations = destinationNames.filter((name) => chosen.includes(name))
describe.each(someOf(destinations, 1))('%s', (name) => {
  endsExactlyRightAtSteps(name, someOf(scenarioNames, 1, destinations.indexOf(name)), 1)
})
