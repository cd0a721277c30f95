import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import type { Destination } from '../../src/index.ts'
import { casesWithGaps, conformanceCases, type KnownGaps } from '../../src/testing/index.ts'
import { bigqueryGaps } from '../engines/bigquery-server.ts'
import { databricksGaps } from '../engines/databricks-server.ts'
import { snowflakeGaps } from '../engines/snowflake-server.ts'
import { oneIn } from '../support/effort.ts'
import { redshiftGaps } from '../support/redshift-server.ts'
import { destinationNames, emptyTarget, isEngine, type DestinationName } from '../support/destinations.ts'
import { someOf, tiered } from '../support/effort.ts'

it('docs/destinations.md has the table of this suite, and it is a good one', () => {
  const page = readFileSync(new URL('../../docs/destinations.md', import.meta.url), 'utf8')
  for (const { title } of conformanceCases) {
    const withGaps = [redshiftGaps, snowflakeGaps, bigqueryGaps, databricksGaps]
    const known = withGaps.map((gaps) => (gaps[title] === undefined ? 'yes' : 'gap'))
    expect(page).toContain(`| ${title} |${' yes |'.repeat(6)} ${known.join(' | ')} |`)
  }
})

const formats = [
  ['jsonl', 0],
  ['csv', 1],
] as const
describe.runIf(destinationNames.includes('filesystem')).each(formats)(
  'filesystem as %s',
  { tags: ['slow'] },
  (format, salt) => {
    it.each(oneIn(2, conformanceCases, salt).map((one) => [one.title, one] as const))('%s', async (_title, { run }) => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-format-'))
      process.env.SLUICE_DATA_DIR = join(folder, 'data')
      await run({ destination: filesystem({ bucketUrl: join(folder, 'lake'), format }), dataset: 'd' })
    })
  },
)

describe.runIf(destinationNames.includes('duckdb'))('a destination with known gaps', async () => {
  const broken: Destination = {
    ...(await emptyTarget('duckdb')).destination,
    open: () => Promise.reject(new Error('cannot be opened')),
  }
  const gaps: KnownGaps = {
    'long names stay apart': { blame: 'upstream', reason: 'it cannot be opened' },
    'many columns are loaded, or refused without a trace': { blame: 'never', reason: 'it has no columns' },
    // @ts-expect-error a gap whose case is not there does not compile
    'no such case': { blame: 'ours', reason: 'none' },
  }
  const caseOf = (title: string) => casesWithGaps(gaps).find((one) => one.title.startsWith(title))

  it('fails where it is known to', async () => {
    await caseOf('long names stay apart')!.run({ destination: broken, dataset: 'd' })
  })

  it('is told when a gap is closed', async () => {
    await expect(caseOf('long names stay apart')!.run(await emptyTarget('duckdb'))).rejects.toThrow(
      'remove its known gap',
    )
  })

  it('is not asked for what can never be', () => {
    expect(caseOf('many columns')).toBeUndefined()
    expect(casesWithGaps(gaps)).toHaveLength(conformanceCases.length - 1)
  })
})

/** So many cases run with `npm test`: all of them on PostgreSQL, where they cost least. */
const quick: Record<DestinationName, number> = {
  postgres: conformanceCases.length,
  duckdb: 6,
  filesystem: 4,
  s3: 0,
  azure: 0,
}

describe.each(destinationNames.map((name, at) => [name, at] as const))('%s', (name, at) => {
  const cases = isEngine(name) ? conformanceCases : someOf(conformanceCases, 12, at)
  for (const [{ title, run }, options] of tiered(cases, quick[name], at))
    it(title, options, async () => run(await emptyTarget(name)))
})
