import { columnsWith, system } from '../../schema/index.ts'
import type { MergePlan } from '../destination.ts'
import { alike, deleteMatching, deleteWhere, updateMatching } from './row-changes.ts'
import {
  chosen,
  columnNames,
  deleted,
  insert,
  matchKeys,
  newVersions,
  replacedIds,
  survivors,
  values,
  type MergeStrategies,
  type Run,
} from './staged-rows.ts'
import { alias, equalKeys, type SqlNames } from './statements.ts'

// The merge strategies by DELETE, UPDATE and INSERT, for databases whose transactions hold them together.

async function deleteNested(run: Run, sql: SqlNames, plan: MergePlan, rootIds: string): Promise<void> {
  for (const { table, staging } of plan.nested) {
    await run(deleteWhere(sql, table.name, `${sql.column(system.rootId)} IN (${rootIds})`))
    for (const key of matchKeys([columnsWith(table, 'primaryKey'), columnsWith(table, 'mergeKey')])) {
      await run(deleteMatching(sql, { table: table.name, source: staging, match: alike(key) }))
    }
  }
}

async function insertNested(run: Run, sql: SqlNames, plan: MergePlan, rootIds: string): Promise<void> {
  for (const staged of plan.nested) {
    const mine = `(SELECT * FROM ${staged.staging} WHERE ${sql.column(system.rootId)} IN (${rootIds})) AS ${alias.result}`
    await run(insert(sql, staged, mine))
  }
}

async function deleteInsert(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const id = sql.column(system.id)
  await deleteNested(run, sql, plan, replacedIds(sql, plan))
  for (const keys of matchKeys([plan.primaryKey, plan.mergeKey])) {
    const { table, staging } = plan.root
    await run(deleteMatching(sql, { table: table.name, source: staging, match: alike(keys) }))
  }
  await run(insert(sql, plan.root, `${survivors(sql, plan)} AS ${alias.result}`))
  await insertNested(run, sql, plan, `SELECT ${id} FROM ${survivors(sql, plan)} AS ${alias.result}`)
}

async function upsert(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const table = plan.root.table.name
  const match = alike(plan.primaryKey)
  await deleteNested(run, sql, plan, replacedIds(sql, plan))
  if (plan.hardDelete !== undefined) {
    const source = chosen(sql, plan, deleted(sql, plan))
    await run(deleteMatching(sql, { table, source, match }))
  }
  const rows = survivors(sql, plan)
  await run(updateMatching(sql, { table, source: rows, match, set: alike(columnNames(plan.root)) }))
  const known = `SELECT 1 FROM ${sql.table(table)} AS ${alias.stored} WHERE ${equalKeys(sql, plan.primaryKey, alias.staged, alias.stored)}`
  await run(
    insert(sql, plan.root, `(SELECT * FROM ${rows} AS ${alias.staged} WHERE NOT EXISTS (${known})) AS ${alias.result}`),
  )
  await insertNested(run, sql, plan, `SELECT ${sql.column(system.id)} FROM ${rows} AS ${alias.result}`)
}

/** The active versions that the load does not confirm end, and those that it brings begin. */
async function versions(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const { boundary, active, from, to, version } = plan.scd2!
  const { root, mergeKey } = plan
  const { dialect } = sql
  const target = sql.table(root.table.name)
  const moment = (text: string): string => dialect.timestampLiteral(text)
  const noTime = `CAST(NULL AS ${dialect.typeName(root.table.columns.get(to)!)})`
  const isActive = `${sql.column(to)} ${active === null ? 'IS NULL' : `= ${moment(active)}`}`
  const staged = (key: readonly string[]): string =>
    `EXISTS (SELECT 1 FROM ${root.staging} AS ${alias.staged} WHERE ${equalKeys(sql, key, alias.staged, target)})`
  // With a merge key, rows of keys that this load does not mention stay as they are.
  const sameKey = mergeKey.length === 0 ? '' : ` AND ${staged(mergeKey)}`
  await run(
    `UPDATE ${target} SET ${sql.column(to)} = ${moment(boundary)} WHERE ${isActive} AND NOT ${staged(version)}${sameKey}`,
  )
  const others = columnNames(root).filter((name) => name !== from && name !== to)
  await run(
    `INSERT INTO ${target} (${sql.columns([from, to, ...others])}) ` +
      `SELECT ${moment(boundary)}, ${active === null ? noTime : moment(active)}, ${values(sql, root, others)} ` +
      `FROM ${newVersions(sql, plan, isActive)} AS ${alias.result}`,
  )
}

export const byDelete: MergeStrategies = { deleteInsert, upsert, versions }
