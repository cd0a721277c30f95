import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import {
  dbml,
  diffSchemas,
  mermaid,
  pipeline,
  resource,
  source,
  type Pipeline,
  type PipelineOptions,
} from '../../src/index.ts'
import type { SourceOptions } from '../../src/index.ts'
import { freshPipeline } from '../support/api.ts'

async function columns(target: Pipeline, table = 't'): Promise<Record<string, string>> {
  const rows = await target
    .dataset()
    .query<{ name: string; type: string }>(
      `select column_name as name, data_type as type from information_schema.columns where lower(table_schema) = 'data' and table_name = '${table}' and column_name not like '\\_dlt%' escape '\\' order by ordinal_position`,
    )
    .toArray()
  return Object.fromEntries(rows.map(({ name, type }) => [name, type]))
}

function withOptions(options: Partial<PipelineOptions>, database: Parameters<typeof duckdb>[0] = {}): Pipeline {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-schema-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  return pipeline({
    name: 'test',
    dataset: 'data',
    destination: duckdb({ path: join(folder, 't.duckdb'), ...database }),
    ...options,
  })
}

describe('types of new columns', () => {
  const row = {
    id: 1,
    day: '2025-01-15',
    at: '2025-01-15T10:00:00Z',
    seconds: Math.floor(Date.now() / 1000),
    paid: '12.50',
  }
  const load = async (options: SourceOptions) => {
    const target = freshPipeline()
    await target.run(source('s', [resource('t', [row])], options))
    return columns(target)
  }

  it('only full timestamps are detected', async () => {
    expect(await load({})).toEqual({
      id: 'BIGINT',
      day: 'VARCHAR',
      at: 'TIMESTAMP WITH TIME ZONE',
      seconds: 'BIGINT',
      paid: 'VARCHAR',
    })
  })

  it('other detectors can be added, and the usual one left out', async () => {
    expect(await load({ detections: ['iso_date', 'timestamp'] })).toMatchObject({
      day: 'DATE',
      at: 'VARCHAR',
      seconds: 'TIMESTAMP WITH TIME ZONE',
    })
  })

  it('types can be preferred by name or pattern, where the value fits', async () => {
    expect(await load({ preferredTypes: { paid: 'decimal', 're:^da': 'date', at: 'bigint' } })).toMatchObject({
      paid: 'DECIMAL(38,9)',
      day: 'DATE',
      at: 'TIMESTAMP WITH TIME ZONE',
    })
  })
})

describe('naming', () => {
  it("by a convention, or by rules of one's own", async () => {
    const rows = [{ userName: 1, nested: { 'Deep Key': 2 } }]
    const direct = withOptions({}, { namingConvention: 'direct' })
    await direct.run(rows, { tableName: 't' })
    expect(Object.keys(await columns(direct))).toEqual(['userName', 'nested▶Deep Key'])
    const shouting = withOptions({}, { namingConvention: { separator: '$', identifier: (key) => key.toUpperCase() } })
    await shouting.run(rows, { tableName: 't' })
    expect(Object.keys(await columns(shouting, 'T'))).toEqual(['USERNAME', 'NESTED$DEEP KEY'])
  })
})

describe('versions', () => {
  it('are kept, and differ in lines a person reads', async () => {
    const target = freshPipeline()
    await target.run([{ id: 1, n: 1 }], { tableName: 't', primaryKey: 'id' })
    await target.run([{ id: 2, n: 1.5, email: 'x', l: [1] }], { tableName: 't', primaryKey: 'id' })
    const [before, after] = await target.schemas()
    expect([before!.version, after!.version]).toEqual([1, 2])
    expect(after!.previousHashes).toEqual([before!.versionHash])
    expect(diffSchemas(before!, after!)).toEqual([
      '~ t.n bigint → double',
      '+ t.email text',
      '+ t__l',
      '+ t__l.value bigint',
      '+ t__l._dlt_parent_id text not null',
      '+ t__l._dlt_list_idx bigint not null',
      '+ t__l._dlt_id text not null',
    ])
    expect(mermaid(after!)).toContain('"t" ||--o{ "t__l" : "_dlt_parent_id"')
    expect(mermaid(after!)).toContain('        bigint id PK')
    expect(dbml(after!)).toContain('Ref: "t__l"._dlt_parent_id > "t"._dlt_id')
  })
})

describe('schema files', () => {
  it('that cannot be read are named, with what is wrong', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-schemas-'))
    const path = join(folder, 'test.schema.yaml')
    const target = withOptions({ importSchemaPath: folder })
    for (const text of ['tables: [', '', 'name: test', 'tables: { t: }', 'tables: { t: { columns: { a: } } }']) {
      writeFileSync(path, text)
      await expect(target.run([{ id: 1 }], { tableName: 't' }), text).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        summary: expect.stringContaining(`${path} is not a schema file`) as never,
      })
    }
  })

  it('are exported, and an edited one is taken over', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-schemas-'))
    const files = { exportSchemaPath: join(folder, 'out'), importSchemaPath: join(folder, 'in') }
    const target = withOptions(files)
    await target.run([{ id: 1 }], { tableName: 't' })
    const exported = parse(readFileSync(join(folder, 'out', 'test.schema.yaml'), 'utf8'))
    expect(exported.tables.t.columns.id).toMatchObject({ data_type: 'bigint' })
    const path = join(folder, 'in', 'test.schema.yaml')
    const edited = parse(readFileSync(path, 'utf8'))
    expect(edited.tables.t.columns).toEqual({})
    edited.tables.t.columns.amount = { data_type: 'decimal', precision: 10, scale: 2 }
    writeFileSync(path, stringify(edited))
    await target.run([{ id: 2, amount: 1.5 }], { tableName: 't' })
    expect(await columns(target)).toEqual({ id: 'BIGINT', amount: 'DECIMAL(10,2)' })
    edited.tables.t.columns = { id: { data_type: 'text' } }
    writeFileSync(path, stringify(edited))
    await expect(target.run([{ id: 3 }], { tableName: 't' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('replace', () => {
  it.each(['truncate-and-insert', 'insert-from-staging', 'staging-optimized'] as const)(
    '%s',
    async (replaceStrategy) => {
      const target = withOptions({}, { replaceStrategy })
      const load = (rows: object[]) =>
        target.run(rows, { tableName: 't', writeDisposition: 'replace', primaryKey: 'id' })
      await load([{ id: 1, l: [1, 2] }, { id: 2 }])
      await load([{ id: 3, l: [3], later: 'x' }])
      expect(await target.dataset().query('select id, later from data.t').toArray()).toEqual([{ id: 3, later: 'x' }])
      expect(await target.dataset().query('select value from data.t__l').toArray()).toEqual([{ value: 3 }])
      const [column] = await target
        .dataset()
        .query("select is_nullable from information_schema.columns where table_name = 't' and column_name = 'id'")
        .toArray()
      expect(column).toEqual({ is_nullable: 'NO' })
      await target.run([], { tableName: 't', writeDisposition: 'replace', primaryKey: 'id', allowEmpty: true })
      expect(await target.dataset().query('select count(*) as n from data.t').toArray()).toEqual([{ n: 0 }])
    },
  )
})

describe('from run to run', () => {
  it('a table that was appended to can be merged, children too', async () => {
    const target = freshPipeline()
    await target.run(
      [
        { id: 1, l: [{ m: [1] }] },
        { id: 2, l: [{ m: [2] }] },
      ],
      { tableName: 't' },
    )
    await target.run([{ id: 1, l: [{ m: [9, 8] }] }], { tableName: 't', writeDisposition: 'merge', primaryKey: 'id' })
    const rows = await target
      .dataset()
      .query(
        'select t.id, m.value from data.t t join data.t__l l on l._dlt_parent_id = t._dlt_id join data.t__l__m m on m._dlt_parent_id = l._dlt_id order by 1, 2',
      )
      .toArray()
    expect(rows).toEqual([
      { id: 1, value: 8 },
      { id: 1, value: 9 },
      { id: 2, value: 2 },
    ])
    const [orphans] = await target.dataset().query('select count(*) as n from data.t__l__m').toArray()
    expect(orphans).toEqual({ n: 3 })
  })

  it('dev mode has a dataset of its own for every start', async () => {
    const target = withOptions({ devMode: true })
    const info = await target.run([{ id: 1 }], { tableName: 't' })
    expect(info.dataset).toMatch(/^data_\d{17}$/)
    expect(await target.dataset().table('t').toArray()).toHaveLength(1)
  })

  it('a package that was refused is retried once its cause is gone, and new data follow', async () => {
    const target = freshPipeline()
    await target.run([{ id: 1, n: 1 }], { tableName: 't', columns: { n: { dataType: 'bigint' } } })
    // A table of another shape makes the database refuse the rows: their package is set aside.
    await target.dataset().query('alter table data.t rename to hidden').toArray()
    await target
      .dataset()
      .query('create table data.t (id bigint, _dlt_load_id varchar, _dlt_id varchar, n date)')
      .toArray()
    await expect(target.run([{ id: 2, n: 2 }], { tableName: 't' })).rejects.toMatchObject({ code: 'LOAD_FAILED' })
    expect(target.packages().pending()).toEqual([])
    const [failed] = target.failedPackages()
    await target.dataset().query('drop table data.t').toArray()
    await target.dataset().query('alter table data.hidden rename to t').toArray()
    expect(await target.retryFailedPackage(failed!.manifest.loadId)).toEqual({ t: 1 })
    await target.run([{ id: 3, n: 3 }], { tableName: 't' })
    expect((await target.dataset().query('select id from data.t order by id').toArray()).map((row) => row.id)).toEqual([
      1, 2, 3,
    ])
    expect(existsSync(join(target.dataDir, 'lock'))).toBe(false)
  })

  it('transformers can work on several rows at once, in order', async () => {
    const { transformer } = await import('../../src/index.ts')
    let [now, most] = [0, 0]
    const ids = resource(
      'ids',
      Array.from({ length: 12 }, (_, id) => ({ id })),
      { selected: false },
    )
    const details = transformer(
      'details',
      async function* ([row]: readonly { id: number }[]) {
        most = Math.max(most, ++now)
        await new Promise((resolve) => setTimeout(resolve, 20 - row!.id))
        now -= 1
        yield { of: row!.id }
      },
      { concurrency: 4 },
    )
    const target = freshPipeline()
    await target.run(source('s', [ids.pipe(details)]))
    expect((await target.dataset().query('select of from data.details').toArray()).map((row) => row.of)).toEqual(
      Array.from({ length: 12 }, (_, id) => id),
    )
    expect(most).toBe(4)
  })
})
