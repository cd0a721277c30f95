/** Runs the conformance suite and writes its table into docs/destinations.md: `npm run docs:destinations`. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duckdb } from '../src/destinations/duckdb/duckdb.ts'
import { filesystem } from '../src/destinations/filesystem/filesystem.ts'
import { postgres } from '../src/destinations/postgres/postgres.ts'
import { redshift } from '../src/destinations/redshift/redshift.ts'
import type { Destination } from '../src/index.ts'
import { snowflake } from '../src/destinations/snowflake/snowflake.ts'
import { conformanceCases, type KnownGaps } from '../src/testing/index.ts'
import { startGcs } from '../test/engines/servers.ts'
import { snowflakeGaps, startSnowflake } from '../test/engines/snowflake-server.ts'
import { startAzurite, startS3 } from '../test/support/bucket-servers.ts'
import { startPostgres } from '../test/support/postgres-server.ts'
import { redshiftGaps, startRedshift } from '../test/support/redshift-server.ts'

const server = await startPostgres()
const buckets = await Promise.all([startS3(), startGcs(), startAzurite()])
const [s3, gcs, azure] = buckets.map(({ bucketUrl, credentials }) => ({ bucketUrl, credentials }))
const guarded = await startRedshift(server.url, s3!.credentials)
const warehouse = await startSnowflake()
const login = { account: 'fake', user: 'sluice', password: 'pass-word', database: 'db1' }
const staging = { bucketUrl: `${s3!.bucketUrl}/redshift`, credentials: s3!.credentials }
const makers: Record<string, (folder: string) => Destination> = {
  DuckDB: (folder) => duckdb({ path: join(folder, 'conformance.duckdb') }),
  PostgreSQL: () => postgres({ url: server.url }),
  Files: (folder) => filesystem({ bucketUrl: join(folder, 'lake') }),
  S3: () => filesystem(s3!),
  GCS: () => filesystem(gcs!),
  Azure: () => filesystem(azure!),
  Redshift: () => redshift({ url: guarded.url, staging }),
  Snowflake: () => snowflake({ ...login, accessUrl: warehouse.accessUrl }),
}
/** What an engine is known not to do. */
const gaps: Record<string, KnownGaps> = { Redshift: redshiftGaps, Snowflake: snowflakeGaps }

async function outcome(name: string, make: (folder: string) => Destination, at: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-conformance-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  try {
    await conformanceCases[at]!.run({ destination: make(folder), dataset: `${name.toLowerCase()}_${at}` })
    return 'yes'
  } catch {
    return gaps[name]?.[conformanceCases[at]!.title] === undefined ? 'no' : 'gap'
  }
}

const rows: string[] = []
for (const [at, { title }] of conformanceCases.entries()) {
  const results: string[] = []
  for (const [name, make] of Object.entries(makers)) results.push(await outcome(name, make, at))
  rows.push(`| ${title} | ${results.join(' | ')} |`)
}
guarded.stop()
await Promise.all([server, warehouse, ...buckets].map((one) => one.stop()))

const names = Object.keys(makers)
const table = [`| promise | ${names.join(' | ')} |`, `| --- |${names.map(() => ' --- |').join('')}`, ...rows].join('\n')
const reasons = Object.entries(gaps).flatMap(([name, known]) =>
  Object.entries(known).map(([title, gap]) => `- ${name}, ${title}: ${gap.reason}.`),
)
const page = new URL('../docs/destinations.md', import.meta.url)
const [before, after] = ['<!-- conformance -->\n', '\n<!-- end -->']
const text = readFileSync(page, 'utf8')
const start = text.indexOf(before) + before.length
writeFileSync(page, `${text.slice(0, start)}${table}\n\n${reasons.join('\n')}${text.slice(text.indexOf(after))}`)
console.log(table)
