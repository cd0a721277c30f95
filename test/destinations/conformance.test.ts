import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import { conformanceCases } from '../../src/testing/index.ts'
import { destinationNames, emptyTarget } from '../support/destinations.ts'

it('docs/destinations.md has the table of this suite, and it is a good one', () => {
  const page = readFileSync(new URL('../../docs/destinations.md', import.meta.url), 'utf8')
  for (const { title } of conformanceCases) expect(page).toContain(`| ${title} |${' yes |'.repeat(6)}`)
})

describe.runIf(destinationNames.includes('filesystem')).each(['jsonl', 'csv'] as const)(
  'filesystem as %s',
  (format) => {
    it.each(conformanceCases.map((one) => [one.title, one] as const))('%s', async (_title, { run }) => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-format-'))
      process.env.SLUICE_DATA_DIR = join(folder, 'data')
      await run({ destination: filesystem({ bucketUrl: join(folder, 'lake'), format }), dataset: 'd' })
    })
  },
)

describe.each(destinationNames)('%s', (name) => {
  it.each(conformanceCases.map((one) => [one.title, one] as const))('%s', async (_title, { run }) => {
    await run(emptyTarget(name))
  })
})
