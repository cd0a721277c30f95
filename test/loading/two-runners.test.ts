import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { duckdbParts } from '../../src/destinations/duckdb/duckdb.ts'
import { pipeline, resource, source } from '../../src/index.ts'
import { onServer } from '../crash/faults.ts'
import { emptyTarget, engineNames } from '../support/destinations.ts'
import { running } from '../support/running.ts'

it.each(engineNames)(
  '%s: a run that another machine has overtaken is refused, and nothing of it is loaded',
  async (name) => {
    const { target, dataset, destination } = await emptyTarget(name)
    const [started, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const from = (machine: string, until: Promise<void>) =>
      resource('t', async function* ({ state }) {
        started.resolve()
        await until
        state.machine = machine
        yield [{ machine }]
      })
    const slow = target.run(from('slow', released.promise))
    await started.promise
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-other-machine-'))
    await pipeline({ name: 'test', dataset, destination }).run(from('fast', Promise.resolve()))
    released.resolve()
    await expect(slow).rejects.toMatchObject({ recovery: 'retry' })
    expect(await target.dataset().table('t').select('machine').toArray()).toEqual([{ machine: 'fast' }])
    // Nothing of it is left that the next run would meet.
    if (name === 'filesystem') return
    await target.run(from('slow', Promise.resolve()))
    expect(await target.dataset().table('t').count()).toBe(2)
  },
)

it.each(engineNames.filter((name) => name !== 'filesystem'))(
  '%s: two pipelines that find new columns at the same time keep both',
  async (name) => {
    const { target, dataset, destination } = await emptyTarget(name)
    const other = pipeline({ name: 'other', dataset, destination })
    const [started, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const rows = (row: object, until: Promise<void>) =>
      source('shop', [
        resource('t', async function* () {
          started.resolve()
          await until
          yield [row]
        }),
      ])
    await target.run([{ id: 0 }], { tableName: 'first' })
    const slow = target.run(rows({ id: 1, a: 'a' }, released.promise))
    await started.promise
    await other.run(rows({ id: 2, b: 'b' }, Promise.resolve()))
    released.resolve()
    await slow
    await target.run(rows({ id: 3, a: 'x', b: 'x' }, Promise.resolve()))
    expect(await target.dataset().table('t').select('id', 'a', 'b').orderBy('id').toArray()).toEqual([
      { id: 1, a: 'a', b: null },
      { id: 2, a: null, b: 'b' },
      { id: 3, a: 'x', b: 'x' },
    ])
  },
)

it('a machine whose clock is ahead leaves no state that stays the newest', async () => {
  const { target, dataset } = await emptyTarget('duckdb')
  const seen: unknown[] = []
  const count = resource('t', function* ({ state }) {
    seen.push(state.count)
    state.count = Number(state.count ?? 0) + 1
    yield { count: state.count }
  })
  await target.run(count)
  const path = target.lastTarget!.location.replace(/^duckdb:/, '')
  const { connection } = await duckdbParts({ path }).connect({ pipeline: 'hand', dataset })
  await connection.run(`update ${dataset}._dlt_loads set load_id = '9999999999.0'`)
  await connection.run(`update ${dataset}._dlt_pipeline_state set _dlt_load_id = '9999999999.0'`)
  await connection.close()
  await target.run(count)
  await target.run(count)
  expect(seen).toEqual([undefined, 1, 2])
})

it.runIf(engineNames.includes('postgres'))('a merge waits for another one into the same table', async () => {
  const { target, dataset } = await emptyTarget('postgres')
  const merge = (rows: object[]) => target.run(rows, { tableName: 't', writeDisposition: 'merge', primaryKey: 'id' })
  await merge([{ id: 1, v: 1 }])
  const isWaiting = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%sluice rows%${dataset}%'`
  const url = await running('postgres')
  await onServer(url, async (other) => {
    await other.query(`begin; select pg_advisory_xact_lock(hashtext('sluice rows "${dataset}"."t"'))`)
    const merged = merge([{ id: 1, v: 2 }]).then(() => 'merged')
    const waiting = (async () => {
      while ((await onServer(url, (client) => client.query(isWaiting))).rows.length === 0) await sleep(20)
      return 'waiting'
    })()
    expect(await Promise.race([merged, waiting])).toBe('waiting')
    await other.query('commit')
    expect(await merged).toBe('merged')
  })
  expect(await target.dataset().table('t').select('id', 'v').toArray()).toEqual([{ id: 1, v: 2 }])
})
