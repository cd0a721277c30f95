import { describe } from 'vitest'
import { destinationNames } from '../support/destinations.ts'
import { endsExactlyRightAtAnyStep } from './any-step.ts'

describe.runIf(destinationNames.includes('postgres'))('postgres', () => void endsExactlyRightAtAnyStep('postgres'))
