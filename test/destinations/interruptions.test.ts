import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { duckdbParts } from '../../src/destinations/duckdb/duckdb.ts'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import { localStore, type ObjectStore } from '../../src/destinations/stores/index.ts'
import { parseUrl } from '../../src/destinations/postgres/connection.ts'
import { postgres, postgresParts } from '../../src/destinations/postgres/postgres.ts'
import { sqlDestination, type SqlDestinationParts } from '../../src/destinations/sql/sql-destination.ts'
import { rowsOf } from '../../src/extract/index.ts'
import { pipeline, resource, type Destination } from '../../src/index.ts'
import { breaking, endsExactlyRight, everyCut } from '../support/cut-connections.ts'
import { someOf } from '../support/effort.ts'
import { destinationNames, engineNames, type DestinationName } from '../support/destinations.ts'
import { running } from '../support/running.ts'

let used = 0

const postgresUrl = await running('postgres')

function parts(name: DestinationName, folder: string): SqlDestinationParts {
  return name === 'duckdb' ? duckdbParts({ path: join(folder, 'cut.duckdb') }) : postgresParts({ url: postgresUrl })
}

const databases = engineNames.filter((name) => name !== 'filesystem')

describe.each(databases)('%s', (name) => {
  it('ends exactly right wherever the connection breaks', { timeout: 240_000 }, async () => {
    await endsExactlyRight((folder) => parts(name, folder), { cuts: 3 })
  })

  it('a load that fails leaves its connection to the next one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-session-'))
    const dataset = `session_${process.pid}_${++used}`
    await using session = await sqlDestination(parts(name, folder)).open({ pipeline: 'session', dataset })
    const failed = session.transaction(() => Promise.reject(new Error('a check failed')))
    await expect(failed).rejects.toThrow('a check failed')
    expect(await session.ledger.readState('session')).toBeUndefined()
    expect(await session.transaction(async () => 'loaded')).toBe('loaded')
  })
})

describe.runIf(destinationNames.includes('filesystem'))('filesystem', () => {
  /** A store that breaks at its n-th operation: before it happens, or right after. */
  function breakingStore(
    store: ObjectStore,
    at: number,
    when: 'before' | 'after',
  ): { store: ObjectStore; count(): number } {
    let operations = 0
    const guard = <A extends unknown[], T>(operation: (...args: A) => Promise<T>) => {
      return async (...args: A): Promise<T> => {
        operations += 1
        const isCut = operations === at
        if (operations > at || (isCut && when === 'before')) throw new Error('disk full')
        const result = await operation(...args)
        if (isCut) throw new Error('disk full')
        return result
      }
    }
    const { location, list, read, fetch, upload, create, remove } = store
    return {
      store: {
        location,
        list: guard(list),
        read: guard(read),
        fetch: guard(fetch),
        upload: guard(upload),
        create: guard(create),
        remove: guard(remove),
      },
      count: () => operations,
    }
  }

  it('ends exactly right wherever the store breaks', { timeout: 240_000 }, async () => {
    const options = { tableName: 't', writeDisposition: 'append' } as const
    const broken = async (at: number, when: 'before' | 'after'): Promise<number> => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-store-'))
      process.env.SLUICE_DATA_DIR = join(folder, 'data')
      const sound = localStore(join(folder, 'lake'))
      const target = (bucketUrl: ObjectStore) =>
        pipeline({ name: 'cut', dataset: 'd', destination: filesystem({ bucketUrl }) })
      await target(sound).run([{ id: 1, l: [1] }], options)
      const cut = breakingStore(sound, at, when)
      // The rows are a snapshot of what is new, so a run that failed before it packaged them has to be made again.
      const failed = await target(cut.store)
        .run([{ id: 2, l: [2, 3] }], options)
        .then(
          () => false,
          () => true,
        )
      const plain = target(sound)
      if (failed) {
        await plain.run([], options)
        const loaded = await plain.dataset().query('select id from d.t where id = 2').toArray()
        if (loaded.length === 0) await plain.run([{ id: 2, l: [2, 3] }], options)
      }
      const where = `operation ${at}, broken ${when}`
      await plain.withDataset(async (data) => {
        expect(await data.query('select id from d.t order by id').toArray(), where).toEqual([{ id: 1 }, { id: 2 }])
        expect(await data.query('select value from d.t__l order by 1').toArray(), where).toHaveLength(3)
        expect(await data.query('select count(*) - count(distinct load_id) as n from d._dlt_loads').toArray()).toEqual([
          { n: 0 },
        ])
      })
      return cut.count()
    }
    const operations = await broken(Number.POSITIVE_INFINITY, 'before')
    expect(operations).toBeGreaterThan(10)
    for (const [at, when] of someOf(everyCut(operations), 2)) await broken(at, when)
  })

  it('lets one of two writers through, and the other on top of it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-writers-'))
    const sound = localStore(join(folder, 'lake'))
    const target = (name: string, store: ObjectStore) => {
      process.env.SLUICE_DATA_DIR = join(folder, name)
      return pipeline({ name, dataset: 'd', destination: filesystem({ bucketUrl: store }) })
    }
    const first = target('first', sound)
    // The second writer begins, and publishes only after the first one has.
    const late = target('late', {
      ...sound,
      async create(path, content) {
        if (!(await sound.list('d/_sluice')).length) await first.run([{ id: 1 }], { tableName: 't' })
        return sound.create(path, content)
      },
    })
    process.env.SLUICE_DATA_DIR = join(folder, 'late')
    await expect(late.run([{ id: 2 }], { tableName: 't' })).rejects.toMatchObject({
      code: 'LOAD_FAILED',
      recovery: 'retry',
    })
    await late.run([{ id: 3 }], { tableName: 't' })
    const rows = await late.dataset().query('select id from d.t order by id').toArray()
    expect(rows.map((row) => row.id)).toEqual([1, 2, 3])
  })
})

describe.runIf(destinationNames.includes('postgres'))('postgres', () => {
  /** A proxy that swallows the answer to COMMIT and breaks the connection. */
  async function losingCommits(): Promise<{ url: string; lost: () => number; close(): void }> {
    const real = new URL(postgresUrl.replace(/^postgres:\/\/.*@/, 'postgres://x@'))
    let lost = 0
    const server = createServer((client: Socket) => {
      const upstream = connect(Number(real.port), real.hostname)
      let committing = false
      client.on('data', (bytes) => {
        if (lost === 0 && bytes.includes('COMMIT\0')) committing = true
        upstream.write(bytes)
      })
      upstream.on('data', (bytes) => {
        if (!committing) return void client.write(bytes)
        lost += 1
        client.destroy()
        upstream.destroy()
      })
      for (const socket of [client, upstream]) socket.on('error', () => undefined)
      client.on('close', () => upstream.destroy())
      upstream.on('close', () => client.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    return {
      url: postgresUrl.replace(`:${real.port}/`, `:${port}/`),
      lost: () => lost,
      close: () => server.close(),
    }
  }

  /** Rows of a new table in pages, so many that files are complete long before the last row. */
  const pages = 30
  const manyPages = (fails?: number) =>
    resource('t', async function* () {
      for (let page = 0; page < pages; page++) {
        if (page === fails) throw new Error('the API is gone')
        // As a network would, it leaves the others time.
        await sleep(4)
        yield Array.from({ length: 20 }, (_, at) => {
          const id = page * 20 + at
          // Types and columns grow after files are complete, and appended already.
          return { id: page < 20 ? id : id + 0.5, l: [{ v: id }], ...(page > 10 && { late: 'x' }) }
        })
      }
    })
  const early = (destination: Destination, dataset: string) =>
    pipeline({ name: 'early', dataset, destination, package: { fileBytes: 500 } })

  it('begins to load while rows are read, and shows nothing before all are in', async () => {
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-early-'))
    const dataset = `early_${process.pid}`
    const given = postgresParts({ url: postgresUrl })
    const cut = breaking(given, Number.POSITIVE_INFINITY, 'before')
    const reader = pipeline({ name: 'reader', dataset, destination: postgres({ url: postgresUrl }) })
    const seen: number[] = []
    // Rows stop until the load is far ahead of the few statements of opening.
    const watched = resource('t', async function* ({ signal }) {
      let page = 0
      for await (const rows of manyPages().pages({ signal } as never)) {
        if (++page === pages) await expect.poll(() => cut.count()).toBeGreaterThan(30)
        yield [...rowsOf(rows)]
      }
    })
    const target = early(cut.destination, dataset)
    target.on((event) => {
      if (event.type === 'package-sealed') seen.push(cut.count())
    })
    const info = await target.run(watched)
    expect(seen[0]).toBeGreaterThan(30)
    expect(info.rows).toEqual({ t: 600, t__l: 600 })
    const changes = info.packages[0]!.changes.find((change) => change.table === 't')!
    expect(changes.created).toBe(true)
    expect(changes.columns.map((column) => column.name)).toContain('late')
    const [row] = await reader
      .dataset()
      .query(
        `select count(*) as n, sum(id) as s, count(late) as late, count(distinct _dlt_load_id) as loads from ${dataset}.t`,
      )
      .toArray()
    expect([row!.n, row!.s, row!.late, row!.loads].map(Number)).toEqual([600, 179_800, 380, 1])
    expect(await reader.dataset().query(`select v from ${dataset}.t__l`).toArray()).toHaveLength(600)
  })

  it('leaves nothing of an early load when the reading fails, and all of it when it is made again', async () => {
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-early-'))
    const dataset = `early_failed_${process.pid}`
    const target = early(postgres({ url: postgresUrl }), dataset)
    await expect(target.run(manyPages(25))).rejects.toMatchObject({ code: 'RESOURCE_FAILED' })
    const tables = () =>
      target
        .dataset()
        .query(`select table_name as t from information_schema.tables where table_schema = '${dataset}'`)
        .toArray()
    expect((await tables()).filter((row) => !String(row.t).startsWith('_dlt_'))).toEqual([])
    await target.run(manyPages())
    expect(await target.dataset().query(`select id from ${dataset}.t`).toArray()).toHaveLength(600)
  })

  it('loads the package as a whole wherever an early load breaks', { timeout: 240_000 }, async () => {
    const broken = async (at: number, when: 'before' | 'after'): Promise<number> => {
      used += 1
      process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-early-'))
      const dataset = `early_cut_${process.pid}_${used}`
      const given = postgresParts({ url: postgresUrl })
      const cut = breaking(given, at, when)
      const failed = await early(cut.destination, dataset)
        .run(manyPages())
        .then(
          () => false,
          () => true,
        )
      const plain = early(sqlDestination(given), dataset)
      const where = `statement ${at}, cut ${when}`
      // A package that was sealed is loaded first; if the run broke before, its rows are read again.
      if (failed) await plain.run([], { tableName: 't' })
      const count = async (): Promise<number> => {
        const rows = await plain
          .dataset()
          .query(`select count(*) as n from ${dataset}.t`)
          .toArray()
          .catch(() => [])
        return Number(rows[0]?.n ?? 0)
      }
      if ((await count()) === 0) await plain.run(manyPages())
      expect(await count(), where).toBe(600)
      return cut.count()
    }
    const statements = await broken(Number.POSITIVE_INFINITY, 'before')
    expect(statements).toBeGreaterThan(45)
    for (const [at, when] of someOf(everyCut(statements), 1)) await broken(at, when)
  })

  it('loads once when the answer to COMMIT is lost', async () => {
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-lost-'))
    const proxy = await losingCommits()
    const target = pipeline({ name: 'lost', dataset: `lost_${process.pid}`, destination: postgres({ url: proxy.url }) })
    await expect(target.run([{ id: 1 }, { id: 2 }], { tableName: 't' })).rejects.toMatchObject({ code: 'LOAD_FAILED' })
    expect(proxy.lost()).toBe(1)
    // The package was committed; the next run finds that in the ledger and goes on.
    const info = await target.run([{ id: 3 }], { tableName: 't' })
    expect(info.packages).toHaveLength(1)
    const rows = await target.dataset().query(`select id from lost_${process.pid}.t order by id`).toArray()
    expect(rows).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
    proxy.close()
  })

  it.each([
    ['postgres://nobody:wrong@127.0.0.1:1/x', 'start the server, or correct host and port'],
    ['mysql://u@h/x', 'write it as postgres://user:password@host:5432/database'],
  ])('%s: says what to do', async (url, fix) => {
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-connect-'))
    const error = await pipeline({ name: 'x', destination: postgres({ url }) })
      .run([{ id: 1 }], { tableName: 't' })
      .then(
        () => undefined,
        (reason: Error) => reason,
      )
    expect(error).toMatchObject({ fix })
    expect(error!.message).not.toContain('wrong')
  })

  it('its location is told without the password', async () => {
    const { password } = parseUrl(postgresUrl)
    const { connection, location } = await postgresParts({ url: postgresUrl }).connect({ pipeline: 'p', dataset: 'd' })
    await connection.close()
    expect(location).toContain(':***@')
    expect(decodeURIComponent(location)).not.toContain(password)
  })

  it('a wrong password is told, and not shown', async () => {
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-connect-'))
    const url = postgresUrl.replace('p@ss', 'not-it')
    const run = pipeline({ name: 'x', destination: postgres({ url }) }).run([{ id: 1 }], { tableName: 't' })
    await expect(run).rejects.toMatchObject({
      fix: 'correct user and password',
      message: expect.not.stringContaining('not-it'),
    })
  })
})
