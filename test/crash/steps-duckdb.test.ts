import { describe } from 'vitest'
import { destinationNames } from '../support/destinations.ts'
import { endsExactlyRightAtAnyStep } from './any-step.ts'

describe.runIf(destinationNames.includes('duckdb'))('duckdb', () => void endsExactlyRightAtAnyStep('duckdb'))
