import { describe, it } from 'vitest'
import { conformanceCases } from '../../src/testing/index.ts'
import { destinationNames, emptyTarget } from '../support/destinations.ts'

describe.each(destinationNames)('%s', (name) => {
  it.each(conformanceCases.map((one) => [one.title, one] as const))('%s', async (_title, { run }) => {
    await run(emptyTarget(name))
  })
})
