/**
 * What nobody can be faster than, each measured in a process of its own: `node bench/floors.ts <floor> <shape> <rows>
 * <target>`. `parse`: JSON.parse of the pages. `read_json`: DuckDB reads the pages from files. `copy_text` and
 * `copy_binary`: PostgreSQL takes rows that are ready, by COPY.
 */
import { createReadStream, createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import pg from 'pg'
import { from, to } from 'pg-copy-streams'
import { pages, type Shape } from './data.ts'
import { measured } from './measured.ts'

const [floor, shape, rows, target] = process.argv.slice(2) as [string, Shape, string, string]
const bodies = pages(shape, Number(rows), 'http://127.0.0.1')
const folder = mkdtempSync(join(tmpdir(), 'sluice-floor-'))

async function parse(): Promise<void> {
  let found = 0
  await measured(async () => {
    for (const body of bodies) found += (JSON.parse(body.toString()) as { data: unknown[] }).data.length
  })
  if (found !== Number(rows)) throw new Error(`parsed ${found} rows of ${rows}`)
}

async function readJson(): Promise<void> {
  for (const [at, body] of bodies.entries()) writeFileSync(join(folder, `${at}.json`), body)
  const instance = await DuckDBInstance.create(join(folder, 'floor.duckdb'))
  const connection = await instance.connect()
  await measured(() =>
    connection.run(
      `CREATE TABLE t AS SELECT unnest(data, max_depth := 2) FROM read_json('${folder}/*.json', maximum_object_size = 268435456)`,
    ),
  )
  connection.closeSync()
}

/** The rows as the texts of COPY, for the flat shape, whose ten columns need no taking apart. */
async function copy(format: 'csv' | 'binary'): Promise<void> {
  const client = new pg.Client({ connectionString: target })
  await client.connect()
  await client.query('DROP TABLE IF EXISTS copied')
  await client.query(
    'CREATE TABLE copied (id bigint, name varchar, email varchar, created_at timestamptz, score double precision, active boolean, country varchar, visits bigint, title varchar, note varchar)',
  )
  const file = join(folder, 'rows')
  const text = (value: unknown): string => (typeof value === 'string' ? `"${value}"` : String(value ?? ''))
  const lines = bodies.flatMap((body) =>
    (JSON.parse(body.toString()) as { data: object[] }).data.map((row) => Object.values(row).map(text).join(',')),
  )
  writeFileSync(file, `${lines.join('\n')}\n`)
  if (format === 'binary') {
    await pipeline(createReadStream(file), client.query(from('COPY copied FROM STDIN (FORMAT csv)')))
    await pipeline(client.query(to('COPY copied TO STDOUT (FORMAT binary)')), createWriteStream(file))
    await client.query('TRUNCATE copied')
  }
  await measured(() =>
    pipeline(createReadStream(file), client.query(from(`COPY copied FROM STDIN (FORMAT ${format})`))),
  )
  await client.end()
}

const floors: Record<string, () => Promise<void>> = {
  parse,
  read_json: readJson,
  copy_text: () => copy('csv'),
  copy_binary: () => copy('binary'),
}
await floors[floor]!()
rmSync(folder, { recursive: true, force: true })
