/** @module-tag slow */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { postgres } from '../../src/destinations/postgres/postgres.ts'
import { pipeline } from '../../src/index.ts'
import { effort } from '../support/effort.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { complete, contents, crashSource, pageOf } from './crash-source.ts'

const stops = effort(5, 12)

it(
  `ends exactly right when PostgreSQL is stopped at once, ${stops} times in a load`,
  { timeout: 300_000 },
  async () => {
    const server = await startPostgres()
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-stop-'))
    const source = crashSource(async (name, after) => pageOf(name, after))
    const load = async (dataset: string): Promise<number> => {
      const target = pipeline({
        name: dataset,
        dataset,
        destination: postgres({ url: server.url }),
        package: { maxBytes: 20_000 },
      })
      const startedAt = performance.now()
      await target.run(source)
      return performance.now() - startedAt
    }
    try {
      await load('warm_up')
      const whole = await load('timed')
      let failures = 0
      for (let trial = 0; failures < stops; trial++) {
        expect(trial, 'too many loads end before the server is stopped').toBeLessThan(4 * stops)
        const dataset = `stopped_${trial}`
        const moment = whole * (0.1 + 0.8 * Math.random())
        const stopped = sleep(moment).then(() => server.stopImmediately())
        const failed = await load(dataset).then(
          () => undefined,
          (error: unknown) => error,
        )
        await stopped
        await server.start()
        if (failed !== undefined) {
          failures += 1
          expect(failed).toMatchObject({ code: 'LOAD_FAILED', recovery: 'retry' })
        }
        await load(dataset)
        const reader = pipeline({ name: 'reader', dataset, destination: postgres({ url: server.url }) })
        expect(await contents(reader, dataset), `trial ${trial}, after ${moment.toFixed(0)} ms`).toEqual(complete)
        const again = pipeline({ name: dataset, dataset, destination: postgres({ url: server.url }) })
        expect((await again.run(source)).rows).toEqual({})
      }
    } finally {
      await server.stop()
    }
  },
)
