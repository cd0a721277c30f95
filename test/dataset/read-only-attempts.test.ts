import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDuckdb, openDuckdbToRead, type DuckdbConnection } from '../../src/destinations/duckdb/connection.ts'
import { effort } from '../support/effort.ts'
import { randomFrom, seed } from '../support/seed.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-attempts-'))
const database = join(folder, 'data.duckdb')
const loading = join(mkdtempSync(join(tmpdir(), 'sluice-loading-')), 'data.duckdb')
const parquet = join(folder, 'items.parquet')
const outside = join(folder, 'outside')

/** Statements that change data, files or the instance, or read files. `t` is the table. */
const changes = (t: string): string[] => [
  `COPY (SELECT 666 AS id, 'x' AS v) TO '${parquet}' (FORMAT parquet, USE_TMP_FILE false)`,
  `COPY (SELECT 1) TO '${outside}'`,
  `COPY ${t} TO '${outside}' (FORMAT csv)`,
  `INSERT INTO ${t} VALUES (3, 'c')`,
  `UPDATE ${t} SET v = 'z'`,
  `DELETE FROM ${t}`,
  `CREATE TABLE u AS SELECT 1 AS a`,
  `CREATE OR REPLACE VIEW ${t} AS SELECT 1 AS a`,
  `DROP TABLE ${t}`,
  `ALTER TABLE ${t} ADD COLUMN w INTEGER`,
  `ATTACH '${outside}' AS other`,
  `EXPORT DATABASE '${outside}'`,
  `INSTALL httpfs`,
  `SET memory_limit = '9GB'`,
  `CHECKPOINT`,
  `CALL enable_logging()`,
  `PRAGMA enable_profiling`,
  `SELECT nextval('numbers')`,
  `SELECT write_log('x')`,
  `FROM checkpoint()`,
  `SELECT * FROM enable_logging(storage := 'file', storage_path := '${outside}')`,
  `SELECT * FROM enable_profiling(save_location := '${outside}')`,
  `SELECT * FROM query('SELECT nextval(''numbers'')')`,
  `SELECT * FROM arrow_scan(0, 0, 0)`,
  `SELECT * FROM read_text('/etc/hostname')`,
  `FROM '/etc/hostname'`,
  `SUMMARIZE FROM '/etc/passwd'`,
  `SELECT (SELECT count(*) FROM read_csv('/etc/hostname')) AS n`,
  `WITH a AS (FROM ${t}) SELECT * FROM a, LATERAL (FROM read_blob('/etc/host*'))`,
  `SELECT * FROM ${t} WHERE v IN (SELECT content FROM read_text('/etc/hostname'))`,
  `FROM glob('/etc/*')`,
  `PREPARE p AS DELETE FROM ${t}`,
]
const queries = (t: string): string[] => [
  `SELECT count(*) AS n FROM ${t}`,
  `FROM ${t}`,
  `(SELECT 1 AS a)`,
  `VALUES (1)`,
  `WITH a AS (FROM ${t}) SELECT * FROM a`,
  `DESCRIBE ${t}`,
  `SUMMARIZE ${t}`,
]

const random = randomFrom(seed)
const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!
const gap = (): string => one([' ', '\n', '\t ', ' -- x\n', '  '])
const mixed = (word: string): string =>
  [...word].map((letter) => (random() < 0.5 ? letter.toLowerCase() : letter)).join('')
const explains = [
  '',
  'EXPLAIN',
  'EXPLAIN ANALYZE',
  'EXPLAIN (ANALYZE)',
  'EXPLAIN (FORMAT json)',
  'EXPLAIN (ANALYZE, FORMAT json)',
]
/** The statement in one of the spellings that DuckDB takes. */
const spelled = (statement: string, prefixes = explains): string =>
  one(['', ' ', '\n', '-- x\n']) + mixed(one(prefixes)) + gap() + statement + one(['', ';', ' ;\n', ' -- end', '\n'])

interface Place {
  t: string
  /** @default all of `explains` */
  prefixes?: string[]
  open(): Promise<DuckdbConnection>
}
const places: Record<string, Place> = {
  'a DuckDB file': { t: 'main.items', open: () => openDuckdbToRead(database, 60_000) },
  'a DuckDB file that this process is loading': {
    t: 'main.items',
    prefixes: [''],
    async open() {
      const writing = await openDuckdb(loading, {})
      await writing.run('CREATE SEQUENCE numbers')
      await writing.run(`CREATE TABLE items AS FROM '${parquet}'`)
      const connection = await openDuckdbToRead(loading, 60_000)
      return { ...connection, close: async () => void (await Promise.all([connection.close(), writing.close()])) }
    },
  },
  'files of the filesystem destination': {
    t: 'items',
    async open() {
      const connection = await openDuckdb(':memory:', {})
      await connection.run(`CREATE SEQUENCE numbers; CREATE VIEW items AS FROM read_parquet('${parquet}')`)
      await connection.lockDown({ timeoutMs: 60_000, files: [parquet] })
      return connection
    },
  },
}

const contents = (): string[] =>
  readdirSync(folder)
    .sort()
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex')}`,
    )

beforeAll(async () => {
  const connection = await openDuckdb(database, {})
  await connection.run(`CREATE TABLE items AS SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS rows (id, v)`)
  await connection.run(`CREATE SEQUENCE numbers; COPY items TO '${parquet}' (FORMAT parquet)`)
  await connection.close()
})

describe.each(Object.entries(places))('a read-only query of %s', (_name, { t, prefixes, open }) => {
  let connection: DuckdbConnection
  let before: string[]
  beforeAll(async () => {
    before = contents()
    connection = await open()
  })
  afterAll(() => connection.close())

  it('changes nothing, however it is spelled', async () => {
    const plain = changes(t).flatMap((sql) => explains.map((explain) => `${explain} ${sql}`))
    const attempts = [...plain, ...Array.from({ length: effort(150, 3000) }, () => spelled(one(changes(t))))]
    for (const sql of attempts) await expect(connection.rows(sql), sql).rejects.toThrow()
    expect(contents()).toEqual(before)
    expect(existsSync(outside)).toBe(false)
    expect(await connection.rows(`SELECT v FROM ${t} ORDER BY id`)).toEqual([{ v: 'a' }, { v: 'b' }])
  })

  it('runs when it is a query, however it is spelled', async () => {
    const attempts = Array.from({ length: effort(60, 1000) }, () => spelled(one(queries(t)), prefixes))
    for (const sql of attempts) expect(await connection.rows(sql), sql).not.toEqual([])
  })
})

it('spilled rows are in a folder that only their user can read, and is removed', async () => {
  const temporary = process.env.TMPDIR
  process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'sluice-spilled-'))
  try {
    const connection = await openDuckdbToRead(database, 60_000)
    const [spill, ...others] = readdirSync(process.env.TMPDIR)
    expect(others).toEqual([])
    expect(statSync(join(process.env.TMPDIR, spill!)).mode & 0o777).toBe(0o700)
    const limits =
      "SELECT name, value FROM duckdb_settings() WHERE name IN ('max_temp_directory_size', 'temp_directory') ORDER BY 1"
    expect(await connection.rows(limits)).toEqual([
      { name: 'max_temp_directory_size', value: '1.8 GiB' },
      { name: 'temp_directory', value: join(process.env.TMPDIR, spill!) },
    ])
    await connection.close()
    expect(readdirSync(process.env.TMPDIR)).toEqual([])
  } finally {
    if (temporary === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = temporary
  }
})
