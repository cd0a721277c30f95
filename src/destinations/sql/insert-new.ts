import { columnsWith, system } from '../../schema/index.ts'
import type { MergePlan } from '../destination.ts'
import { firstOfEach, insert, matchKeys, survivors, type Run } from './staged-rows.ts'
import { equalKeys, type SqlNames } from './statements.ts'

/** Root rows whose key is not stored yet, with their nested rows. */
export async function insertOnly(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const { root, primaryKey, nested } = plan
  const stored = `SELECT 1 FROM ${sql.table(root.table.name)} AS t WHERE ${equalKeys(sql, primaryKey, 'kept', 't')}`
  const fresh = `(SELECT * FROM ${survivors(sql, plan)} AS kept WHERE NOT EXISTS (${stored}))`
  // Nested rows first: which root rows are new is seen before they are stored.
  for (const staged of nested) {
    const ofNew = `s.${sql.column(system.rootId)} IN (SELECT ${sql.column(system.id)} FROM ${fresh} AS fresh)`
    const { table, staging } = staged
    const isNew = matchKeys([columnsWith(table, 'primaryKey'), columnsWith(table, 'mergeKey')]).map(
      (key) => ` AND NOT EXISTS (SELECT 1 FROM ${sql.table(table.name)} AS t WHERE ${equalKeys(sql, key, 's', 't')})`,
    )
    await run(`${insert(sql, staged, `${staging} AS s`)} WHERE ${ofNew}${isNew.join('')}`)
  }
  await run(insert(sql, root, `${fresh} AS fresh`))
}

/**
 * Nested rows of the versions that are stored, as far as they are not. Ids are fixed by content and place, so a version that
 * comes back finds its rows.
 */
export async function insertNestedOfVersions(run: Run, sql: SqlNames, { nested }: MergePlan): Promise<void> {
  const [id, parentId] = [sql.column(system.id), sql.column(system.parentId)]
  for (const staged of nested) {
    const { table, staging } = staged
    const hasParent = `EXISTS (SELECT 1 FROM ${sql.table(table.parent!)} AS p WHERE p.${id} = s.${parentId})`
    const known = `EXISTS (SELECT 1 FROM ${sql.table(table.name)} AS t WHERE t.${id} = s.${id})`
    const rows = `${staging} AS s WHERE ${hasParent} AND NOT ${known}`
    await run(insert(sql, staged, `${firstOfEach(sql, [system.id], id, { rows })} AS fresh`))
  }
}
