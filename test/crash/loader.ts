import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import { postgres } from '../../src/destinations/postgres/postgres.ts'
import {
  incremental,
  pipeline,
  resource,
  source,
  type Destination,
  type Pipeline,
  type Source,
} from '../../src/index.ts'
import { partRows, type ApiRow, type ScenarioName } from './world.ts'

/** What is loaded from where to where; as text, so that another process can be given it. */
export interface Load {
  baseUrl: string
  scenario: ScenarioName
  destination: 'duckdb' | 'postgres' | 'filesystem'
  /** A file, a folder or a URL. */
  place: string
  dataset: string
}

export function destinationOf({ destination, place }: Pick<Load, 'destination' | 'place'>): Destination {
  switch (destination) {
    case 'duckdb':
      return duckdb({ path: place })
    case 'postgres':
      return postgres({ url: place })
    default:
      return filesystem({ bucketUrl: place })
  }
}

/** Loads what the API has in this round; gives the rows of the packages. */
export async function loadRound(load: Load): Promise<Record<string, number>> {
  const { scenario, dataset } = load
  const target = pipeline({
    name: 'crash',
    dataset,
    destination: destinationOf(load),
    // Small, so that a run has several packages and many files; each is a version of all files.
    package: load.destination === 'filesystem' ? { maxBytes: 12_000 } : { maxBytes: 4000, fileBytes: 2000 },
  })
  if (scenario === 'parts') return loadParts(load, target)
  const refresh = scenario === 'refresh' ? 'drop_data' : scenario === 'drop' ? 'drop_resources' : undefined
  const info = await target.run(sourceOf(load), refresh === undefined ? {} : { refresh })
  return info.rows
}

async function readPage({ baseUrl }: Load, after: number, before = Infinity): Promise<ApiRow[]> {
  const answer = await fetch(`${baseUrl}/rows?after=${after}${before === Infinity ? '' : `&before=${before}`}`)
  return (await answer.json()) as ApiRow[]
}

async function* pages(load: Load, place: 'seq' | 'id', start: number, before?: number): AsyncGenerator<ApiRow[]> {
  for (let after = start; ;) {
    const rows = await readPage(load, after, before)
    if (rows.length === 0) return
    yield rows
    after = rows.at(-1)![place]
  }
}

function sourceOf(load: Load): Source {
  const name = 'rows'
  const since = (start: unknown) => pages(load, 'seq', Number(start ?? 0))
  const all = () => pages(load, 'id', 0)
  switch (load.scenario) {
    case 'append':
      // A cursor of the resource's own making.
      return source('crash', [
        resource(name, async function* ({ state }) {
          for await (const rows of since(state.after)) {
            yield rows
            state.after = rows.at(-1)!.seq
          }
        }),
      ])
    case 'merge':
    case 'upsert':
      return source('crash', [
        resource(name, ({ cursor }) => since(cursor!.startValue), {
          incremental: incremental('seq'),
          writeDisposition: { disposition: 'merge', strategy: load.scenario === 'merge' ? 'delete-insert' : 'upsert' },
          primaryKey: 'id',
          columns: { deleted: { dataType: 'bool', hardDelete: true } },
        }),
      ])
    case 'replace':
      return source('crash', [resource(name, all, { writeDisposition: 'replace' })])
    case 'refresh':
    case 'drop':
      return source('crash', [resource(name, all)])
    case 'scd2':
      return source('crash', [resource(name, all, { writeDisposition: { disposition: 'merge', strategy: 'scd2' } })])
    default:
      return source('crash', [
        resource(name, ({ cursor }) => since(cursor!.startValue), {
          incremental: incremental('seq', { rowOrder: 'asc' }),
        }),
      ])
  }
}

/** The parts of the log that are complete. */
async function loadParts(load: Load, target: Pipeline): Promise<Record<string, number>> {
  const loaded: Record<string, number> = {}
  for (let from = 0; (await readPage(load, from + partRows - 1)).length > 0; from += partRows) {
    const rows = resource('rows', () => pages(load, 'seq', from, from + partRows + 1), { writeDisposition: 'append' })
    const info = await target.run(source('crash', [rows]), { partition: `from-${from}` })
    for (const [table, count] of Object.entries(info.rows)) loaded[table] = (loaded[table] ?? 0) + count
  }
  return loaded
}

/** All rounds from where the API is. */
export async function loadAll(load: Load): Promise<void> {
  for (let over = false; !over;) {
    await loadRound(load)
    over = ((await (await fetch(`${load.baseUrl}/advance`, { method: 'POST' })).json()) as { over: boolean }).over
  }
}

if (import.meta.main) await loadAll(JSON.parse(process.argv[2]!) as Load)
