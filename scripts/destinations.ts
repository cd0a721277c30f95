/**
 * Runs the conformance suite and writes its table into docs/destinations.md: `npm run docs:destinations`, or for some columns
 * `npm run docs:destinations -- BigQuery Databricks`; `-- new` runs only the promises that have no result there yet.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bigquery } from '../src/destinations/bigquery/bigquery.ts'
import { databricks } from '../src/destinations/databricks/databricks.ts'
import { duckdb } from '../src/destinations/duckdb/duckdb.ts'
import { filesystem } from '../src/destinations/filesystem/filesystem.ts'
import { postgres } from '../src/destinations/postgres/postgres.ts'
import { redshift } from '../src/destinations/redshift/redshift.ts'
import { snowflake } from '../src/destinations/snowflake/snowflake.ts'
import type { Destination } from '../src/index.ts'
import { conformanceCases, type KnownGaps } from '../src/testing/index.ts'
import { bigqueryGaps, startBigquery } from '../test/engines/bigquery-server.ts'
import { databricksGaps, startDatabricks } from '../test/engines/databricks-server.ts'
import { startGcs } from '../test/engines/servers.ts'
import { snowflakeGaps, startSnowflake } from '../test/engines/snowflake-server.ts'
import { startAzurite, startS3 } from '../test/support/bucket-servers.ts'
import { startPostgres } from '../test/support/postgres-server.ts'
import { redshiftGaps, startRedshift } from '../test/support/redshift-server.ts'

/** A column of the table: a destination, and the engine that it is run against. */
interface Column {
  name: string
  engine: string
  gaps: KnownGaps
  start(): Promise<{ make(folder: string): Destination; stop(): Promise<void> }>
}

const nothing = async (): Promise<void> => undefined
const bucket = (name: string, engine: string, start: () => Promise<Awaited<ReturnType<typeof startS3>>>): Column => ({
  name,
  engine,
  gaps: {},
  async start() {
    const { bucketUrl, credentials, stop } = await start()
    return { make: () => filesystem({ bucketUrl, credentials: credentials! }), stop }
  },
})

const columns: Column[] = [
  {
    name: 'DuckDB',
    engine: 'itself',
    gaps: {},
    start: async () => ({ make: (folder) => duckdb({ path: join(folder, 'conformance.duckdb') }), stop: nothing }),
  },
  {
    name: 'PostgreSQL',
    engine: 'itself',
    gaps: {},
    async start() {
      const { url, stop } = await startPostgres()
      return { make: () => postgres({ url }), stop }
    },
  },
  {
    name: 'Files',
    engine: 'a folder',
    gaps: {},
    start: async () => ({ make: (folder) => filesystem({ bucketUrl: join(folder, 'lake') }), stop: nothing }),
  },
  bucket('S3', 'fauxqs', startS3),
  bucket('GCS', 'fake-gcs-server', startGcs),
  bucket('Azure', 'Azurite', startAzurite),
  {
    name: 'Redshift',
    engine: 'PostgreSQL behind a guard',
    gaps: redshiftGaps,
    async start() {
      const [server, { bucketUrl, credentials, stop }] = await Promise.all([startPostgres(), startS3()])
      const guarded = await startRedshift(server.url, credentials!)
      const staging = { bucketUrl: `${bucketUrl}/redshift`, credentials: credentials! }
      return {
        make: () => redshift({ url: guarded.url, staging }),
        async stop() {
          guarded.stop()
          await Promise.all([server.stop(), stop()])
        },
      }
    },
  },
  {
    name: 'Snowflake',
    engine: 'fakesnow',
    gaps: snowflakeGaps,
    async start() {
      const { accessUrl, stop } = await startSnowflake()
      const login = { account: 'fake', user: 'sluice', password: 'pass-word', database: 'db1' }
      return { make: () => snowflake({ ...login, accessUrl }), stop }
    },
  },
  {
    name: 'BigQuery',
    engine: 'bqemulator',
    gaps: bigqueryGaps,
    async start() {
      const { apiEndpoint, stop } = await startBigquery()
      return { make: () => bigquery({ projectId: 'p', apiEndpoint, accessToken: 'a-token-of-the-test' }), stop }
    },
  },
  {
    name: 'Databricks',
    engine: 'Spark with Delta',
    gaps: databricksGaps,
    async start() {
      const { options, stop } = await startDatabricks()
      return { make: () => databricks(options), stop }
    },
  },
]

/** Runs the suite, or of it what has no result among those known. */
async function outcomes({ name, gaps, start }: Column, told?: readonly string[]): Promise<string[]> {
  const { make, stop } = await start()
  const results = []
  for (const [at, { title, run }] of conformanceCases.entries()) {
    const before = told?.[at]
    if (before !== undefined && before !== unknown) {
      results.push(before)
      continue
    }
    const folder = mkdtempSync(join(tmpdir(), 'sluice-conformance-'))
    process.env.SLUICE_DATA_DIR = join(folder, 'data')
    const holds = await run({ destination: make(folder), dataset: `${name.toLowerCase()}_${at}` }).then(
      () => true,
      () => false,
    )
    const result = holds ? 'yes' : gaps[title] === undefined ? 'no' : 'gap'
    console.log(`${name}: ${title}: ${result}`)
    results.push(result)
  }
  await stop()
  return results
}

const unknown = '?'
const page = new URL('../docs/destinations.md', import.meta.url)
const [before, after] = ['<!-- conformance -->\n', '\n<!-- end -->']
/** The page as it is now, in three parts; it may be edited while the suite runs. */
function parts(): { head: string; table: string; tail: string } {
  const text = readFileSync(page, 'utf8')
  const [begin, end] = [text.indexOf(before) + before.length, text.indexOf(after)]
  return { head: text.slice(0, begin), table: text.slice(begin, end), tail: text.slice(end) }
}

/** The results that stand there. */
function known(name: string): string[] {
  const rows = parts()
    .table.split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
  const at = rows[0]!.indexOf(name)
  return conformanceCases.map(({ title }) => rows.find((row) => row[1] === title)?.[at] ?? unknown)
}

const chosen = process.argv.slice(2)
const results = new Map<string, string[]>()
for (const column of columns) {
  const told = known(column.name)
  const isRun = chosen.length === 0 || chosen.includes(column.name)
  const isNew = chosen.includes('new') && told.includes(unknown)
  results.set(column.name, isRun ? await outcomes(column) : isNew ? await outcomes(column, told) : told)
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const names = columns.map(({ name }) => name)
const table = [
  row(['promise', ...names]),
  row(['---', ...names.map(() => '---')]),
  row(['run against', ...columns.map(({ engine }) => engine)]),
  ...conformanceCases.map(({ title }, at) => row([title, ...names.map((name) => results.get(name)![at]!)])),
]
const reasons = columns.flatMap(({ name, gaps }) =>
  Object.entries(gaps).map(([title, gap]) => `- ${name}, ${title}: ${gap.reason}.`),
)
const written = `${table.join('\n')}\n\n${reasons.join('\n')}`
const { head, tail } = parts()
writeFileSync(page, head + written + tail)
console.log(written)
process.exit()
