import { mkdirSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { attach, pipeline, type LoadInfo, type Source } from '../../index.ts'
import { duckdb } from '../../destinations/duckdb/duckdb.ts'
import { platformByName, platformNames } from '../../sources/chats/registry.ts'
import { serve, simulation, type Simulation } from '../../sources/simulators/index.ts'
import { done, parseCommand, printJson, program, type CommandResult } from '../command.ts'
import { shortPath } from '../run-summary.ts'
import { count, duration, style, table } from '../style.ts'

const usage = `
sluice demo

Loads Chatlio, ChatBot, Chaport, Chatra and Cliengo from simulators on this
machine into one DuckDB file, twice: the second time only what changed.

  --size <n>   root rows of each platform   [400]
  --json       the result as JSON on stdout
`

const databaseFile = 'sluice-demo.duckdb'

interface Loaded {
  platform: string
  dataset: string
  first: LoadInfo
  second: LoadInfo
}

export async function run(args: string[]): Promise<CommandResult> {
  const parsed = parseCommand(args, usage, { size: { type: 'string' } })
  if (parsed === undefined) return done
  const quiet = parsed.values.json === true
  const say = (text: string): void => {
    if (!quiet) console.log(text)
  }
  const startedAt = performance.now()
  const path = resolve(databaseFile)
  mkdirSync(resolve('.'), { recursive: true })
  for (const file of [path, `${path}.wal`]) rmSync(file, { force: true })

  say('Five chat platforms, simulated on this machine, are loaded into one DuckDB file.\n')
  say(style.faint('  platform        first load                     second load, only changes'))
  const loaded: Loaded[] = []
  for (const platform of platformNames) {
    const one = await loadTwice(platform, path, Number(parsed.values.size ?? 400))
    loaded.push(one)
    say(`  ${platform.padEnd(10)} ${style.done('✓')}  ${described(one.first)}   ${described(one.second)}`)
  }
  if (quiet) printJson(loaded.map(({ platform, dataset, first, second }) => ({ platform, dataset, first, second })))
  else say(await summary(loaded, path, performance.now() - startedAt))
  return done
}

const rowsOf = (info: LoadInfo): number => Object.values(info.rows).reduce((sum, rows) => sum + rows, 0)

const described = (info: LoadInfo): string =>
  `${count(rowsOf(info)).padStart(7)} rows ${String(Object.keys(info.rows).length).padStart(2)} tables ${duration(info.durationMs).padStart(6)}`

async function loadTwice(platform: string, path: string, size: number): Promise<Loaded> {
  const simulated = simulation(platform, { size, seed: 1 })!
  const server = await serve(simulated)
  const name = `demo_${platform}`
  const dataset = `${platform}_data`
  configure(platform, simulated)
  const loading = pipeline({ name, dataset, destination: duckdb({ path }) })
  loading.drop()
  // Chatra's own limit of 60 requests a minute would make this demonstration long.
  const source = async (): Promise<Source> =>
    (await platformByName(platform))!({ baseUrl: server.baseUrl, requestsPerMinute: 1_000_000 })
  try {
    const first = await loading.run(await source())
    simulated.advance()
    configure(platform, simulated)
    const second = await loading.run(await source())
    return { platform, dataset, first, second }
  } finally {
    await server.close()
  }
}

/** What a person would write into `secrets.toml` and `config.toml`, for this process only. */
function configure(platform: string, { secret, settings }: Simulation): void {
  const prefix = `SOURCES__${platform.toUpperCase()}_SOURCE__`
  process.env[prefix + secret[0].toUpperCase()] = secret[1]
  for (const [key, ids] of Object.entries(settings)) process.env[prefix + key.toUpperCase()] = JSON.stringify(ids)
}

async function summary(loaded: readonly Loaded[], path: string, ms: number): Promise<string> {
  const data = attach('demo_chaport').dataset()
  const busiest = await data
    .query(
      `select v.name as visitor, v.location__city as city, count(distinct e.chat_id) as chats, count(*) as events
       from chaport_data.visitors v join chaport_data.chat_events e on e.visitor_id = v.id
       group by all order by events desc, visitor limit 4`,
    )
    .toArray()
  const tables = loaded.flatMap(({ dataset, first, second }) =>
    Object.keys({ ...first.rows, ...second.rows })
      .sort()
      .map((name) => ({ dataset, table: name, root: !name.includes('__') })),
  )
  const rows = loaded.reduce((sum, { first, second }) => sum + rowsOf(first) + rowsOf(second), 0)
  const nested = tables.filter(({ root }) => !root).length
  return [
    '',
    `${count(rows)} rows in ${tables.length} tables, ${nested} of them for lists inside the documents, in ${duration(ms)}:`,
    '',
    ...loaded.map(({ dataset }) => tableNames(dataset, tables)),
    '',
    'For example, the visitors of Chaport who wrote most:',
    '',
    table(busiest),
    '',
    `It is all in ${shortPath(path)}. Look around:`,
    '',
    `  ${program} dashboard`,
    `  ${program} pipeline demo_cliengo query 'select * from cliengo_data.contacts limit 5'`,
    `  ${program} source docs chatra`,
  ].join('\n')
}

function tableNames(dataset: string, tables: readonly { dataset: string; table: string; root: boolean }[]): string {
  const names = tables.filter((one) => one.dataset === dataset && one.root).map((one) => one.table)
  const lines = ['']
  for (const name of names) {
    const last = lines.at(-1)!
    if (last.length + name.length > 60) lines.push(name)
    else lines[lines.length - 1] = last === '' ? name : `${last}, ${name}`
  }
  return `  ${style.strong(dataset.padEnd(14))} ${lines.join(',\n                 ')}`
}
