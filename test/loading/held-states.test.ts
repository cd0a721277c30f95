import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { incremental, resource, source } from '../../src/index.ts'
import { freshPipeline } from '../support/api.ts'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { pipeline } from '../../src/index.ts'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * One resource has finished a window and reads the next; another one fills packages meanwhile. The first one's rows stay
 * behind until its window ends, so what it has reached must stay behind too: the run ends in the middle.
 */
it('what a resource has reached is never packaged without its rows', async () => {
  freshPipeline()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-held-'))
  const options = { name: 'held', dataset: 'data', destination: duckdb({ path: join(folder, 'x.duckdb') }) }
  let breaks = true
  const windowed = resource(
    'windowed',
    async function* ({ cursor }) {
      for (const { start } of cursor!.windows(40)) {
        yield [{ id: Number(start), at: Number(start) }]
        // Long enough for the other resource to fill a package.
        await sleep(150)
        if (breaks && Number(start) >= 20) throw new Error('the network is gone')
      }
    },
    { incremental: incremental('at', { initialValue: 0, window: { size: 10 } }) },
  )
  const busy = resource(
    'busy',
    async function* () {
      for (let id = 0; id < 60; id++) {
        await sleep(10)
        yield [{ id, text: 'x'.repeat(200) }]
      }
    },
    { primaryKey: 'id', writeDisposition: 'merge' },
  )
  const loading = pipeline({ ...options, package: { maxBytes: 3000, maxAgeMs: 60_000 } })
  await expect(loading.run(source('s', [windowed, busy]))).rejects.toThrow(/network is gone/)
  breaks = false
  await loading.run(source('s', [windowed, busy]))
  const rows = await loading.dataset().query<{ id: bigint }>('select id from data.windowed order by id').toArray()
  expect(rows.map(({ id }) => Number(id))).toEqual([0, 10, 20, 30])
})
