import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { filesystem, type FilesystemOptions } from '../../src/destinations/filesystem/filesystem.ts'
import { localStore, openStore, type ObjectStore } from '../../src/destinations/stores/index.ts'
import { pipeline, type Pipeline, type RunOptions } from '../../src/index.ts'
import { startS3 } from '../support/bucket-servers.ts'
import { running } from '../support/running.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-files-test-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
})

function lake(options: Partial<FilesystemOptions> = {}): { target: Pipeline; files(): string[] } {
  const bucketUrl = join(folder, 'lake')
  return {
    target: pipeline({ name: 'files', dataset: 'd', destination: filesystem({ bucketUrl, ...options }) }),
    files: () =>
      readdirSync(bucketUrl, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\/t(\/|$)/.test(entry.parentPath))
        .map((entry) => join(entry.parentPath, entry.name).slice(join(bucketUrl, 'd').length + 1))
        .sort(),
  }
}

const ids = async (target: Pipeline, table = 't'): Promise<unknown[]> =>
  (await target.dataset().query(`select id from d.${table} order by id`).toArray()).map((row) => row.id)

/** A store that counts what is fetched of one table. */
function counting(store: ObjectStore, table: string): { store: ObjectStore; fetched: string[] } {
  const fetched: string[] = []
  return {
    fetched,
    store: {
      ...store,
      fetch(path, into) {
        if (path.startsWith(`d/${table}/`)) fetched.push(path)
        return store.fetch(path, into)
      },
    },
  }
}

describe('layout', () => {
  it('places files by its placeholders, the same ones for a second try', async () => {
    const layout = '{schema_name}/{table_name}/{team}/year={YYYY}/month={MM}/{who}-{load_id}-{file_id}.{ext}'
    const extraPlaceholders = { team: 'data', who: ({ tableName }: { tableName: string }) => `of-${tableName}` }
    const { target, files } = lake({ layout, extraPlaceholders, format: 'jsonl' })
    const info = await target.run([{ id: 1 }], { tableName: 't' })
    const loadId = info.packages[0]!.loadId
    const month = new Date(Number(loadId) * 1000).toISOString().slice(5, 7)
    const year = new Date(Number(loadId) * 1000).getUTCFullYear()
    expect(files()).toEqual([`files/t/data/year=${year}/month=${month}/of-t-${loadId}-0.jsonl.gz`])
    expect(await ids(target)).toEqual([1])
  })

  it.each([
    ['{table_name}/{load_id}.{ext}', 'has no {file_id}'],
    ['{table_name}/{load_id}.{file_id}.{ext}.bak', 'does not end with {ext}'],
    ['../{table_name}/{load_id}.{file_id}.{ext}', 'leads out of the folder'],
    ['{table}/{load_id}.{file_id}.{ext}', 'has {table}, which is no placeholder'],
  ])('%s is refused: %s', (layout, why) => {
    expect(() => lake({ layout })).toThrow(why)
  })
})

describe('partitions', () => {
  const columns: RunOptions['columns'] = { kind: { partition: true } }

  it('divide a table by values of any kind', async () => {
    const { target, files } = lake()
    const rows = [
      { id: 1, kind: 'a' },
      { id: 2, kind: null },
      { id: 3, kind: 'a/b c=..' },
      { id: 4, kind: '' },
      { id: 5, kind: '007' },
      { id: 6, kind: "it's" },
    ]
    await target.run(rows, { tableName: 't', columns })
    const folders = files().map((path) => path.split('/')[1])
    expect(folders.sort()).toEqual([
      'kind=',
      'kind=007',
      'kind=__HIVE_DEFAULT_PARTITION__',
      'kind=a',
      'kind=a%2Fb%20c%3D..',
      "kind=it's",
    ])
    const read = await target.dataset().query('select id, kind from d.t order by id').toArray()
    expect(read).toEqual(rows)
  })

  it('divide by day where the column is a moment', async () => {
    const { target, files } = lake()
    const rows = [{ at: '2026-03-01T23:59:59Z' }, { at: '2026-03-02T00:00:00Z' }, { at: '2026-03-02T01:00:00+01:00' }]
    await target.run(rows, { tableName: 't', columns: { at: { partition: true } } })
    expect(files().map((path) => path.split('/')[1])).toEqual(['at_day=2026-03-01', 'at_day=2026-03-02'])
  })

  it('are refused where they make no sense', async () => {
    const run = lake().target.run([{ o: { a: 1 } }], {
      tableName: 't',
      columns: { o: { dataType: 'json', partition: true } },
    })
    await expect(run).rejects.toThrow('rows cannot be partitioned by a json column')
  })

  it('more than DuckDB keeps open at once are written all the same', async () => {
    const { target, files } = lake()
    const rows = Array.from({ length: 240 }, (_, id) => ({ id, kind: `k${id % 120}` }))
    await target.run(rows, { tableName: 't', columns })
    expect(new Set(files().map((path) => path.split('/')[1])).size).toBe(120)
    expect(await ids(target)).toEqual(rows.map((row) => row.id))
  })

  it.each([
    ['where the partition is part of the key, others are not even fetched', ['kind', 'id'], 1],
    ['where it is not, all are looked at', ['id'], 3],
  ])('a merge rewrites only what it touches: %s', async (_title, primaryKey, looked) => {
    const { store, fetched } = counting(localStore(join(folder, 'lake')), 't')
    const { target, files } = lake({ bucketUrl: store })
    const options: RunOptions = { tableName: 't', writeDisposition: 'merge', primaryKey, columns }
    await target.run(
      ['a', 'b', 'c'].map((kind, id) => ({ id, kind, v: 1, l: [id] })),
      options,
    )
    const before = files()
    fetched.length = 0
    await target.run([{ id: 1, kind: 'b', v: 2, l: [7, 8] }], options)
    expect(new Set(fetched).size).toBe(looked)
    const unchanged = files().filter((path) => before.includes(path) && !path.includes('kind=b'))
    expect(unchanged).toHaveLength(2)
    const rows = await target.dataset().query('select id, v from d.t order by id').toArray()
    expect(rows).toEqual([
      { id: 0, v: 1 },
      { id: 1, v: 2 },
      { id: 2, v: 1 },
    ])
    const nested = await target.dataset().query('select value from d.t__l order by 1').toArray()
    expect(nested.map((row) => row.value)).toEqual([0, 2, 7, 8])
  })

  it('a check that sets rows aside keeps the nested rows of other loads', async () => {
    const { target } = lake()
    const options: RunOptions = { tableName: 't', writeDisposition: 'merge', primaryKey: 'id', columns }
    await target.run(
      ['a', 'b'].map((kind, id) => ({ id, kind, v: 1, l: [id] })),
      options,
    )
    await target.run(
      [
        { id: 1, kind: 'b', v: 5, l: [9] },
        { id: 2, kind: 'b', v: null, l: [10] },
      ],
      { ...options, checks: [{ type: 'not_null', column: 'v', severity: 'quarantine' }] },
    )
    const nested = await target.dataset().query('select value from d.t__l order by 1').toArray()
    expect(nested.map((row) => row.value)).toContain(0)
    expect(nested.map((row) => row.value)).toContain(9)
  })
})

describe('versions', () => {
  const replacing: RunOptions = { tableName: 't', writeDisposition: 'replace' }
  const load = async (target: Pipeline, times: number): Promise<void> => {
    for (let id = 1; id <= times; id++) await target.run([{ id }], replacing)
  }
  const manifests = (): number =>
    readdirSync(join(folder, 'lake', 'd', '_sluice')).filter((name) => name.startsWith('manifest')).length

  it('the last two stay, and no file that neither lists', async () => {
    const { target, files } = lake()
    await load(target, 3)
    expect(manifests()).toBe(2)
    expect(files()).toHaveLength(2)
    expect(await ids(target)).toEqual([3])
  })

  it('files that the newest version lists stay, however old they are', { tags: ['slow'] }, async () => {
    const { target, files } = lake()
    for (let id = 1; id <= 3; id++) await target.run([{ id }], { tableName: 't' })
    expect(manifests()).toBe(2)
    expect(files()).toHaveLength(3)
    expect((await ids(target)).toSorted()).toEqual([1, 2, 3])
  })

  it('more stay when asked for, by number or by age', { tags: ['slow'] }, async () => {
    const { target, files } = lake({ retention: { versions: 3 } })
    await load(target, 4)
    expect([manifests(), files().length]).toEqual([3, 3])
    const young = lake({ retention: { versions: 1, days: 1 } })
    await load(young.target, 1)
    expect(manifests()).toBe(4)
    await load(lake({ retention: { versions: 1 } }).target, 1)
    expect([manifests(), files().length]).toEqual([1, 1])
  })

  it('a query fetches the files of the tables it names, and no others', async () => {
    const { store, fetched } = counting(localStore(join(folder, 'lake')), 't')
    const { target } = lake({ bucketUrl: store })
    await target.run([{ id: 1 }], { tableName: 't' })
    await target.run([{ id: 1 }], { tableName: 'other' })
    fetched.length = 0
    await target.state()
    expect(await ids(target, 'other')).toEqual([1])
    expect(fetched).toEqual([])
    expect(await ids(target)).toEqual([1])
    expect(fetched).toHaveLength(1)
  })

  it('a manifest whose answer was lost is known as its own', async () => {
    const sound = localStore(join(folder, 'lake'))
    const store: ObjectStore = {
      ...sound,
      // Written, answer lost, sent again: the service says it is there.
      create: async (path, content) => (await sound.create(path, content)) && path.endsWith('create-only'),
    }
    const { target } = lake({ bucketUrl: store })
    await target.run([{ id: 1 }], { tableName: 't' })
    expect(await ids(target)).toEqual([1])
  })

  const other = (): Pipeline =>
    pipeline({ name: 'other', dataset: 'd', destination: filesystem({ bucketUrl: join(folder, 'lake') }) })
  /** The store of a writer that sleeps once, just before its n-th manifest is read or written. */
  function sleepy(step: 'read' | 'create', n: number, meanwhile: () => Promise<void>): ObjectStore {
    const store = localStore(join(folder, 'lake'))
    const wait = async (path: string): Promise<void> => {
      if (path.includes('manifest') && --n === 0) await meanwhile()
    }
    const { read, create } = store
    return {
      ...store,
      read: async (path) => (step === 'read' && (await wait(path)), read(path)),
      create: async (path, content) => (step === 'create' && (await wait(path)), create(path, content)),
    }
  }
  const threeLoads = async (): Promise<void> => {
    for (let id = 10; id < 13; id++) await other().run([{ id }], { tableName: 't' })
  }

  it('a writer that finds its version free again, as others have used and removed it, is refused and loads later', async () => {
    const { target } = lake({ bucketUrl: sleepy('create', 2, threeLoads) })
    await target.run([{ id: 1 }], { tableName: 't' })
    await expect(target.run([{ id: 2 }], { tableName: 't' })).rejects.toMatchObject({
      code: 'LOAD_FAILED',
      recovery: 'retry',
      message: expect.stringContaining('another writer has changed'),
    })
    expect(await ids(target)).toEqual([1, 10, 11, 12])
    await target.run([{ id: 3 }], { tableName: 't' })
    expect(await ids(target)).toEqual([1, 2, 3, 10, 11, 12])
    // The version that came too late goes, and takes no file along that is still read.
    await threeLoads()
    expect(await ids(target)).toHaveLength(9)
    expect(manifests()).toBe(2)
  })

  it('a version that is removed between its listing and its reading is not missed', { tags: ['slow'] }, async () => {
    await other().run([{ id: 1 }], { tableName: 't' })
    const { target } = lake({ bucketUrl: sleepy('read', 1, threeLoads) })
    expect(await ids(target)).toEqual([1, 10, 11, 12])
    const late = lake({ bucketUrl: sleepy('read', 2, threeLoads) })
    await late.target.run([{ id: 2 }], { tableName: 't' })
    expect(await ids(target)).toEqual([1, 2, 10, 10, 11, 11, 12, 12])
  })

  it(
    'a version is still found to be published after many others were put on top of it',
    { tags: ['slow'] },
    async () => {
      const store = localStore(join(folder, 'lake'))
      const { target } = lake({
        bucketUrl: {
          ...store,
          // The answer comes when three others have loaded.
          create: async (path, content) => {
            const created = await store.create(path, content)
            if (path.endsWith('manifest-0000000002.json')) await threeLoads()
            return created
          },
        },
      })
      await target.run([{ id: 1 }], { tableName: 't' })
      await target.run([{ id: 2 }], { tableName: 't' })
      expect(await ids(target)).toEqual([1, 2, 10, 11, 12])
    },
  )
})

describe('buckets', () => {
  it('one that overwrites what it was told not to is refused, and nothing is loaded', async () => {
    const server = await startS3({ createOnly: false })
    const { bucketUrl, credentials } = server
    const { target } = lake({ bucketUrl, credentials })
    await expect(target.run([{ id: 1 }], { tableName: 't' })).rejects.toMatchObject({
      code: 'LOAD_FAILED',
      fix: expect.stringContaining('conditional writes'),
    })
    const store = await openStore(bucketUrl, credentials)
    expect((await store.list('d/_sluice')).filter((path) => path.includes('manifest'))).toEqual([])
    await server.stop()
  })

  for (const [name, tags] of [
    ['s3', []],
    ['azure', ['slow']],
  ] as const)
    it(`${name}: what stands in it is what was put there, large or small`, { tags: [...tags] }, async () => {
      const { bucketUrl, credentials } = await running(name)
      const store = await openStore(`${bucketUrl}/raw-${process.pid}`, credentials)
      const { writeFileSync, readFileSync } = await import('node:fs')
      const large = Buffer.alloc(9 * 1024 * 1024, 'sluice!')
      writeFileSync(join(folder, 'large'), large)
      await store.upload('a/large.bin', join(folder, 'large'))
      expect(await store.create('a/odd name +%ü.json', '{}')).toBe(true)
      expect(await store.create('a/odd name +%ü.json', '[]')).toBe(false)
      expect(await store.list('a')).toEqual(['a/large.bin', 'a/odd name +%ü.json'])
      expect(await store.list('b')).toEqual([])
      expect((await store.read('a/odd name +%ü.json')).toString()).toBe('{}')
      expect(readFileSync(await store.fetch('a/large.bin', join(folder, 'cache'))).equals(large)).toBe(true)
      await store.remove('a/large.bin')
      await store.remove('a/large.bin')
      expect(await store.list('a')).toHaveLength(1)
    })

  it.each([
    ['s3', 's3://nothere/x', 'create the bucket'],
    ['azure', 'az://nothere/x', 'create the container'],
  ] as const)('%s: a missing one is told, with what to do', async (name, bucketUrl, fix) => {
    const { target } = lake({ bucketUrl, credentials: (await running(name)).credentials })
    const error = await target.run([{ id: 1 }], { tableName: 't' }).catch((reason: Error) => reason)
    expect(error).toMatchObject({ code: 'LOAD_FAILED', fix: expect.stringContaining(fix) })
  })

  it('azure: a wrong key is told, and not shown', async () => {
    const { bucketUrl, credentials } = await running('azure')
    const accountKey = Buffer.from('wrong key of no account').toString('base64')
    const { target } = lake({ bucketUrl, credentials: { ...credentials, accountKey } })
    const error = await target.run([{ id: 1 }], { tableName: 't' }).catch((reason: Error) => reason)
    expect(error).toMatchObject({ fix: expect.stringContaining('check the account key') })
    expect(String(error)).not.toContain(accountKey)
  })

  it('by name, with the keys from the environment, as dlt calls them', async () => {
    const { bucketUrl, credentials } = await running('s3')
    const { accessKeyId, secretAccessKey, endpoint } = credentials as Record<string, string>
    const settings: Record<string, string> = {
      DESTINATION__FILESYSTEM__BUCKET_URL: `${bucketUrl}/named`,
      DESTINATION__FILESYSTEM__LAYOUT: '{table_name}/day={DD}/{load_id}.{file_id}.{ext}',
      DESTINATION__FILESYSTEM__CREDENTIALS__AWS_ACCESS_KEY_ID: accessKeyId!,
      DESTINATION__FILESYSTEM__CREDENTIALS__AWS_SECRET_ACCESS_KEY: secretAccessKey!,
      DESTINATION__FILESYSTEM__CREDENTIALS__ENDPOINT_URL: endpoint!,
    }
    Object.assign(process.env, settings)
    try {
      const target = pipeline({ name: 'named', dataset: 'd', destination: 'filesystem' })
      const info = await target.run([{ id: 1 }], { tableName: 't' })
      expect(info.location).toBe(`${bucketUrl}/named/d`)
      expect(await ids(target)).toEqual([1])
      const store = await openStore(`${bucketUrl}/named`, credentials)
      expect((await store.list('d/t'))[0]).toMatch(/^d\/t\/day=\d\d\//)
    } finally {
      for (const key of Object.keys(settings)) delete process.env[key]
    }
  })

  it.each([
    ['ftp://host/x', 'WRONG_USE', 's3://'],
    ['s3://', 'WRONG_USE', 's3://bucket/path'],
    ['az://container/x', 'CONFIG_MISSING', 'azure_storage_account_name'],
  ])('%s is refused', async (bucketUrl, code, hint) => {
    const error = await openStore(bucketUrl).catch((reason: Error) => reason)
    expect(error).toMatchObject({ code })
    expect(String(error)).toContain(hint)
  })
})
