import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { conformanceCases } from '../../src/testing/index.ts'
import { destinationNames, emptyTarget } from '../support/destinations.ts'

it('docs/destinations.md has the table of this suite, and it is a good one', () => {
  const page = readFileSync(new URL('../../docs/destinations.md', import.meta.url), 'utf8')
  for (const { title } of conformanceCases) expect(page).toContain(`| ${title} | yes | yes | yes |`)
})

describe.each(destinationNames)('%s', (name) => {
  it.each(conformanceCases.map((one) => [one.title, one] as const))('%s', async (_title, { run }) => {
    await run(emptyTarget(name))
  })
})
