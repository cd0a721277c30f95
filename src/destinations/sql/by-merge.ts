import { columnsWith, system } from '../../schema/index.ts'
import type { MergePlan, StagedTable } from '../destination.ts'
import { alike, deleteMatching } from './row-changes.ts'
import {
  chosen,
  columnNames,
  deleted,
  matchKeys,
  newVersions,
  onDays,
  replacedIds,
  survivors,
  valueOf,
  values,
  type MergeStrategies,
  type Run,
} from './staged-rows.ts'
import { alias, equalKeys, type SqlNames } from './statements.ts'

// The merge strategies by MERGE: each table changes by one statement, so that readers see it before or after, never between,
// also where no transaction holds the tables of a load together.

interface Exchange {
  staged: StagedTable
  /** The stored rows to take out: columns of the table, and the columns of a source that equal them. */
  gone: { source: string; match: Readonly<Record<string, string>> }
  /** What becomes of a row that is taken out. @default 'DELETE' */
  ending?: string
  /** A further condition on stored rows, which are called `alias.stored`. */
  also?: string
  /** The staged rows to put in, as something to select from. */
  fresh: string
  /** What to put in. @default the staged columns */
  inserted?: { columns: readonly string[]; values: string }
}

const [isGone, goneKey] = ['_sluice_gone', (at: number): string => `_sluice_key_${at}`]

/**
 * Takes stored rows out and puts staged ones in. The source holds both, one after the other: the keys of the rows to take
 * out, and the rows to put in without keys, which therefore meet none.
 */
function exchange(sql: SqlNames, { staged, gone, ending = 'DELETE', also = '', fresh, inserted }: Exchange): string {
  const { dialect } = sql
  const { columns } = staged.table
  const names = columnNames(staged)
  const pairs = Object.entries(gone.match)
  const stagedType = dialect.stagedType ?? dialect.typeName
  const noValues = names.map((name) => `CAST(NULL AS ${stagedType(columns.get(name)!)}) AS ${sql.column(name)}`)
  const noKeys = pairs.map(([name], at) => `CAST(NULL AS ${dialect.typeName(columns.get(name)!)}) AS ${goneKey(at)}`)
  const keys = pairs.map(([, other], at) => `${sql.column(other)} AS ${goneKey(at)}`)
  const out = `SELECT DISTINCT ${keys.join(', ')} FROM ${gone.source} AS ${alias.result}`
  const source =
    `SELECT TRUE AS ${isGone}, ${pairs.map((_pair, at) => goneKey(at)).join(', ')}, ${noValues.join(', ')} FROM (${out}) AS ${alias.result} ` +
    `UNION ALL SELECT FALSE AS ${isGone}, ${noKeys.join(', ')}, ${sql.columns(names)} FROM ${fresh}`
  const met = pairs
    .map(([name], at) => `${alias.staged}.${goneKey(at)} = ${alias.stored}.${sql.column(name)}`)
    .join(' AND ')
  const put = inserted ?? { columns: names, values: values(sql, staged, names, `${alias.staged}.`) }
  return (
    `MERGE INTO ${sql.table(staged.table.name)} AS ${alias.stored} USING (${source}) AS ${alias.staged} ON ${met}${also} WHEN MATCHED THEN ${ending} ` +
    `WHEN NOT MATCHED AND NOT ${alias.staged}.${isGone} THEN INSERT (${sql.columns(put.columns)}) VALUES (${put.values})`
  )
}

/** Nested rows of the root rows that are replaced, for those of the root rows that are kept. */
async function exchangeNested(run: Run, sql: SqlNames, plan: MergePlan, kept: string): Promise<void> {
  const ids = replacedIds(sql, plan)
  for (const staged of plan.nested) {
    const { table, staging } = staged
    for (const key of matchKeys([columnsWith(table, 'primaryKey'), columnsWith(table, 'mergeKey')])) {
      await run(deleteMatching(sql, { table: table.name, source: staging, match: alike(key) }))
    }
    const mine = `${sql.column(system.rootId)} IN (SELECT ${sql.column(system.id)} FROM ${kept} AS ${alias.result})`
    await run(
      exchange(sql, {
        staged,
        gone: { source: `(${ids})`, match: { [system.rootId]: system.id } },
        fresh: `(SELECT * FROM ${staging} WHERE ${mine}) AS ${alias.result}`,
      }),
    )
  }
}

async function deleteInsert(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const { root } = plan
  const kept = survivors(sql, plan)
  // Nested rows first: which they are is seen by the root rows that are still stored.
  await exchangeNested(run, sql, plan, kept)
  const [keys, others] = matchKeys([plan.primaryKey, plan.mergeKey])
  const gone =
    others === undefined
      ? { source: root.staging, match: alike(keys ?? []) }
      : { source: `(${replacedIds(sql, plan)})`, match: alike([system.id]) }
  await run(
    exchange(sql, { staged: root, gone, also: onDays(sql, plan, alias.stored), fresh: `${kept} AS ${alias.result}` }),
  )
}

async function upsert(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const { root, primaryKey, hardDelete } = plan
  await exchangeNested(run, sql, plan, survivors(sql, plan))
  const names = columnNames(root)
  const assignments = names.map((name) => `${sql.column(name)} = ${valueOf(sql, root, name, `${alias.staged}.`)}`)
  const asks = deleted(sql, plan, `${alias.staged}.`)
  const removal = hardDelete === undefined ? '' : `WHEN MATCHED AND ${asks} THEN DELETE `
  const isNew = hardDelete === undefined ? 'WHEN NOT MATCHED' : `WHEN NOT MATCHED AND NOT (${asks})`
  const met = `${equalKeys(sql, primaryKey, alias.staged, alias.stored)}${onDays(sql, plan, alias.stored)}`
  const rows = plan.deduplicated ? root.staging : chosen(sql, plan, 'TRUE')
  await run(
    `MERGE INTO ${sql.table(root.table.name)} AS ${alias.stored} USING ${rows} AS ${alias.staged} ON ${met} ` +
      `${removal}WHEN MATCHED THEN UPDATE SET ${assignments.join(', ')} ` +
      `${isNew} THEN INSERT (${sql.columns(names)}) VALUES (${values(sql, root, names, `${alias.staged}.`)})`,
  )
}

/** The active versions that the load does not confirm end, and those that it brings begin. */
async function versions(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const { boundary, active, from, to, version } = plan.scd2!
  const { root, mergeKey } = plan
  const { dialect } = sql
  const target = sql.table(root.table.name)
  const moment = (text: string): string => dialect.timestampLiteral(text)
  const isActive = `${sql.column(to)} ${active === null ? 'IS NULL' : `= ${moment(active)}`}`
  const isStaged = (key: readonly string[]): string =>
    `EXISTS (SELECT 1 FROM ${root.staging} AS ${alias.staged} WHERE ${equalKeys(sql, key, alias.staged, alias.stored)})`
  // With a merge key, rows of keys that this load does not mention stay as they are.
  const sameKey = mergeKey.length === 0 ? '' : ` AND ${isStaged(mergeKey)}`
  const unconfirmed = `${isActive} AND NOT ${isStaged(version)}${sameKey}`
  const others = columnNames(root).filter((one) => one !== from && one !== to)
  const end = active === null ? `CAST(NULL AS ${dialect.typeName(root.table.columns.get(to)!)})` : moment(active)
  const changes = exchange(sql, {
    staged: root,
    gone: { source: `(SELECT * FROM ${target} AS ${alias.stored} WHERE ${unconfirmed})`, match: alike([system.id]) },
    ending: `UPDATE SET ${sql.column(to)} = ${moment(boundary)}`,
    also: ` AND ${alias.stored}.${isActive}`,
    fresh: `${newVersions(sql, plan, isActive)} AS ${alias.result}`,
    inserted: {
      columns: [from, to, ...others],
      values: `${moment(boundary)}, ${end}, ${values(sql, root, others, `${alias.staged}.`)}`,
    },
  })
  await run(changes)
}

export const byMerge: MergeStrategies = { deleteInsert, upsert, versions }
