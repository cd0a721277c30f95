import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { pipeline, type Dataset, type Pipeline } from '../../src/index.ts'
import { destinationOf, type Load } from './loader.ts'
import { rounds, scenarios, type Expected } from './world.ts'

/** What is not as it must be. */
export interface Faults {
  /** Rows. */
  lost: number
  /** Rows that are there more often than they should be, or should not be there at all. */
  doubled: number
  others: string[]
}

/** Rows, children, ledger and state, against what the API has shown in all its rounds. */
export async function faultsOf(load: Load): Promise<Faults & { loads: number }> {
  return readerOf(load).withDataset(async (data) => {
    const ledger = await ledgerOf(data, load.dataset)
    const { rows, others } = await rowsOf(data, load, ledger.ids)
    return {
      ...difference(rows, scenarios[load.scenario].expected(rounds)),
      others: [...ledger.others, ...others],
      loads: ledger.ids.size,
    }
  })
}

/** Another pipeline, so that nothing of the first one's state is touched. */
const readerOf = (load: Load): Pipeline =>
  pipeline({ name: 'reader', dataset: load.dataset, destination: destinationOf(load) })

/**
 * What anybody can see of a load that was cut off, and that should not be: children without parents, rows without their load
 * in the ledger, and of what is loaded whole, anything but what the API has shown in one of its rounds.
 */
export function halfDone(load: Load, round: number): Promise<string[]> {
  return readerOf(load).withDataset(async (data) => {
    if (!(await data.tables()).has('rows__items__tags')) return []
    const { ids } = await ledgerOf(data, load.dataset)
    const { rows, others } = await rowsOf(data, load, ids)
    const { gives, expected } = scenarios[load.scenario]
    const seen = Array.from({ length: round }, (_, at) => difference(rows, expected(at + 1)))
    const isWhole = rows.length === 0 || seen.some(({ lost, doubled }) => lost + doubled === 0)
    const half = gives === 'snapshot' && !isWhole ? ['a part of what belongs together was seen'] : []
    return [...others, ...half]
  })
}

const all = <Row>(data: Dataset, sql: string): Promise<Row[]> => data.query(sql).toArray() as Promise<Row[]>

async function ledgerOf(data: Dataset, dataset: string): Promise<{ ids: Set<string>; others: string[] }> {
  const others: string[] = []
  const loads = await all<{ id: string; status: number }>(
    data,
    `select load_id as id, status from ${dataset}._dlt_loads`,
  )
  const ids = new Set(loads.map(({ id }) => id))
  if (ids.size !== loads.length) others.push('a load stands in the ledger twice')
  if (loads.some(({ status }) => Number(status) !== 0)) others.push('a load in the ledger is not complete')
  const [states] = await all<{ n: number }>(
    data,
    `select count(*) as n from (select 1 from ${dataset}._dlt_pipeline_state group by pipeline_name, version having count(*) > 1) as t`,
  )
  if (Number(states!.n) > 0) others.push('a version of the state is there twice')
  return { ids, others }
}

interface Child {
  own: string
  parent: string
}

async function rowsOf(
  data: Dataset,
  { scenario, dataset }: Load,
  ledger: ReadonlySet<string>,
): Promise<{ rows: Expected[]; others: string[] }> {
  const active = scenario === 'scd2' ? '_dlt_valid_to is null' : 'true'
  const roots = await all<Omit<Expected, 'items'> & { own: string; load_id: string }>(
    data,
    `select id, version, text, ${active} as active, _dlt_id as own, _dlt_load_id as load_id from ${dataset}.rows`,
  )
  const children = <Row extends Child>(table: string, column: string): Promise<Row[]> =>
    all(
      data,
      `select ${column}, _dlt_id as own, _dlt_parent_id as parent from ${dataset}.${table} order by _dlt_list_idx`,
    )
  const items = await children<Child & { sku: string }>('rows__items', 'sku')
  const tags = await children<Child & { name: string }>('rows__items__tags', 'name')
  const tagsOf = Map.groupBy(tags, ({ parent }) => parent)
  const itemsOf = Map.groupBy(items, ({ parent }) => parent)
  const rows = roots.map(({ id, version, text, active: isActive, own }) => {
    const nested = (itemsOf.get(own) ?? []).map((item) => [
      item.sku,
      (tagsOf.get(item.own) ?? []).map((tag) => tag.name),
    ])
    return { id, version, text, items: JSON.stringify(nested), active: isActive }
  })
  const unledgered = roots.filter((row) => !ledger.has(row.load_id)).length
  const others = [...orphans('items', items, roots), ...orphans('tags', tags, items)]
  if (unledgered > 0) others.push(`${unledgered} rows of loads that are not in the ledger`)
  return { rows, others }
}

function orphans(name: string, children: readonly Child[], parents: readonly { own: string }[]): string[] {
  const known = new Set(parents.map(({ own }) => own))
  const lost = children.filter(({ parent }) => !known.has(parent)).length
  return lost === 0 ? [] : [`${lost} rows of ${name} without a parent`]
}

function difference(seen: readonly Expected[], expected: readonly Expected[]): { lost: number; doubled: number } {
  const balance = new Map<string, number>()
  const add = (rows: readonly Expected[], change: number): void => {
    for (const { id, version, text, items, active } of rows) {
      const key = JSON.stringify([Number(id), Number(version), text, items, active])
      balance.set(key, (balance.get(key) ?? 0) + change)
    }
  }
  add(seen, 1)
  add(expected, -1)
  let [lost, doubled] = [0, 0]
  for (const more of balance.values()) {
    if (more < 0) lost -= more
    else doubled += more
  }
  return { lost, doubled }
}

const tables = ['rows', 'rows__items', 'rows__items__tags', '_dlt_loads', '_dlt_pipeline_state', '_dlt_version']

/** Tables in the dataset that nobody asked for. Temporary ones end with their connection. */
export async function leftOnServer(url: string, dataset: string): Promise<string[]> {
  const { rows } = await onServer(url, (client) =>
    client.query<{ name: string }>('select table_name as name from information_schema.tables where table_schema = $1', [
      dataset,
    ]),
  )
  return rows.map(({ name }) => name).filter((name) => !tables.includes(name))
}

/** With a password as it is, which need not be encoded. */
export async function onServer<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const [, user, password, host, port, database] = /^postgres:\/\/([^:]+):(.*)@([^@:/]+):(\d+)\/(.+)$/.exec(url)!
  const client = new Client({ host: host!, port: Number(port), database: database!, user: user!, password: password! })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** What a finished run must not leave on this machine. */
export function leftInWorkingData(dataDir: string): string[] {
  const folder = join(dataDir, 'pipelines', 'crash')
  const inside = (...path: string[]): string[] => {
    const place = join(folder, ...path)
    return existsSync(place) ? readdirSync(place).map((name) => [...path, name].join('/')) : []
  }
  const drafts = inside('runs').filter((name) => name.endsWith('.draft'))
  const locks = inside().filter((name) => name === 'lock' || name.startsWith('target.json.'))
  return [
    ...inside('packages', 'building'),
    ...inside('packages', 'sealed'),
    ...inside('partitions'),
    ...drafts,
    ...locks,
  ]
}

/** Files that no manifest lists. */
export function leftInLake(lake: string, dataset: string): string[] {
  const folder = join(lake, dataset)
  const drafts = join(lake, '.drafts')
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  const manifests = files.filter((file) => /^_sluice\/manifest-\d+\.json$/.test(file))
  const listed = manifests.flatMap((file) => {
    const manifest = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      tables: Record<string, { files: { path: string }[] }>
    }
    return Object.values(manifest.tables).flatMap(({ files }) => files.map(({ path }) => path))
  })
  const known = new Set([
    ...manifests,
    ...listed.map((path) => path.slice(path.indexOf('/') + 1)),
    '_sluice/create-only',
  ])
  return [...files.filter((file) => !known.has(file)), ...(existsSync(drafts) ? readdirSync(drafts) : [])]
}
