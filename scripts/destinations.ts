/** Runs the conformance suite and writes its table into docs/destinations.md: `npm run docs:destinations`. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duckdb } from '../src/destinations/duckdb/duckdb.ts'
import { filesystem } from '../src/destinations/filesystem/filesystem.ts'
import { postgres } from '../src/destinations/postgres/postgres.ts'
import type { Destination } from '../src/index.ts'
import { conformanceCases } from '../src/testing/index.ts'
import { startGcs } from '../test/engines/servers.ts'
import { startAzurite, startS3 } from '../test/support/bucket-servers.ts'
import { startPostgres } from '../test/support/postgres-server.ts'

const server = await startPostgres()
const buckets = await Promise.all([startS3(), startGcs(), startAzurite()])
const [s3, gcs, azure] = buckets.map(({ bucketUrl, credentials }) => ({ bucketUrl, credentials }))
const makers: Record<string, (folder: string) => Destination> = {
  DuckDB: (folder) => duckdb({ path: join(folder, 'conformance.duckdb') }),
  PostgreSQL: () => postgres({ url: server.url }),
  Files: (folder) => filesystem({ bucketUrl: join(folder, 'lake') }),
  S3: () => filesystem(s3!),
  GCS: () => filesystem(gcs!),
  Azure: () => filesystem(azure!),
}

async function outcome(make: (folder: string) => Destination, at: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-conformance-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  try {
    await conformanceCases[at]!.run({ destination: make(folder), dataset: `c${at}` })
    return 'yes'
  } catch {
    return 'no'
  }
}

const rows: string[] = []
for (const [at, { title }] of conformanceCases.entries()) {
  const results: string[] = []
  for (const make of Object.values(makers)) results.push(await outcome(make, at))
  rows.push(`| ${title} | ${results.join(' | ')} |`)
}
await Promise.all([server, ...buckets].map((one) => one.stop()))

const names = Object.keys(makers)
const table = [`| promise | ${names.join(' | ')} |`, `| --- |${names.map(() => ' --- |').join('')}`, ...rows].join('\n')
const page = new URL('../docs/destinations.md', import.meta.url)
const [before, after] = ['<!-- conformance -->\n', '\n<!-- end -->']
const text = readFileSync(page, 'utf8')
const start = text.indexOf(before) + before.length
writeFileSync(page, text.slice(0, start) + table + text.slice(text.indexOf(after)))
console.log(table)
