import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { pipeline, type Destination } from '../../src/index.ts'
import { platformByName } from '../../src/sources/chats/registry.ts'
import { serve, simulation } from '../../src/sources/simulators/index.ts'

let used = 0

/** Loads a platform from its simulator into the destination and into DuckDB: the same rows in the same tables. */
export async function loadsLikeDuckdb(name: string, make: () => Destination, { loads = 2 } = {}): Promise<void> {
  const simulated = simulation(name, { size: 30, seed: 7 })!
  const platform = (await platformByName(name))!
  const loaded = []
  for (const destination of [make(), duckdb({ path: join(mkdtempSync(join(tmpdir(), 'sluice-pl-')), 'p.duckdb') })]) {
    const api = await serve(simulated)
    const [key, value] = simulated.secret
    const prefix = `SOURCES__${name.toUpperCase()}_SOURCE__`
    process.env[prefix + key.toUpperCase()] = value
    for (const [setting, ids] of Object.entries(simulated.settings))
      process.env[prefix + setting.toUpperCase()] = ids.slice(0, 10).join(',')
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-platform-'))
    used += 1
    const loading = pipeline({ name: `${name}_pipeline`, dataset: `p_${process.pid}_${used}`, destination })
    const first = await loading.run(platform({ baseUrl: api.baseUrl }))
    const second = loads === 2 ? await loading.run(platform({ baseUrl: api.baseUrl })) : first
    const counts: Record<string, number> = {}
    for (const table of Object.keys(first.rows)) {
      counts[table] = (await loading.dataset().table(table).select('_dlt_id').toArray()).length
    }
    loaded.push({ first: first.rows, second: second.rows, counts })
    await api.close()
  }
  expect(Object.keys(loaded[0]!.first).length).toBeGreaterThan(3)
  expect(loaded[0]).toEqual(loaded[1])
}
