import { system } from '../../schema/index.ts'
import type { MergePlan } from '../destination.ts'
import { insert, isLinked, survivors, type Run } from './staged-rows.ts'
import { equalKeys, type SqlNames } from './statements.ts'

export async function insertOnly(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const target = sql.table(plan.root.table.name)
  const known = `EXISTS (SELECT 1 FROM ${target} AS t WHERE ${equalKeys(sql, plan.primaryKey, 'kept', 't')})`
  await run(`${insert(sql, plan.root, `${survivors(sql, plan)} AS kept`)} WHERE NOT ${known}`)
  await insertNewNested(run, sql, plan)
}

/** Nested rows whose id is not stored yet. Ids are fixed by key and place, so a known row is never doubled. */
export async function insertNewNested(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const id = sql.column(system.id)
  for (const staged of plan.nested.filter(isLinked)) {
    const known = `SELECT ${id} FROM ${sql.table(staged.table.name)}`
    await run(`${insert(sql, staged, `${staged.staging} AS s`)} WHERE s.${id} NOT IN (${known})`)
  }
}
