import { columnsWith, system } from '../../schema/index.ts'
import type { MergePlan } from '../destination.ts'
import { firstOfEach, insert, matchKeys, survivors, type Run } from './staged-rows.ts'
import { alias, equalKeys, type SqlNames } from './statements.ts'

/** Root rows whose key is not stored yet, with their nested rows. */
export async function insertOnly(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const { root, primaryKey, nested } = plan
  const stored = `SELECT 1 FROM ${sql.table(root.table.name)} AS ${alias.stored} WHERE ${equalKeys(sql, primaryKey, alias.staged, alias.stored)}`
  const fresh = `(SELECT * FROM ${survivors(sql, plan)} AS ${alias.staged} WHERE NOT EXISTS (${stored}))`
  // Nested rows first: which root rows are new is seen before they are stored.
  for (const staged of nested) {
    const ofNew = `${alias.staged}.${sql.column(system.rootId)} IN (SELECT ${sql.column(system.id)} FROM ${fresh} AS ${alias.result})`
    const { table, staging } = staged
    const isNew = matchKeys([columnsWith(table, 'primaryKey'), columnsWith(table, 'mergeKey')]).map(
      (key) =>
        ` AND NOT EXISTS (SELECT 1 FROM ${sql.table(table.name)} AS ${alias.stored} WHERE ${equalKeys(sql, key, alias.staged, alias.stored)})`,
    )
    await run(`${insert(sql, staged, `${staging} AS ${alias.staged}`)} WHERE ${ofNew}${isNew.join('')}`)
  }
  await run(insert(sql, root, `${fresh} AS ${alias.result}`))
}

/**
 * Nested rows of the versions that are stored, as far as they are not. Ids are fixed by content and place, so a version that
 * comes back finds its rows.
 */
export async function insertNestedOfVersions(run: Run, sql: SqlNames, { nested }: MergePlan): Promise<void> {
  const [id, parentId] = [sql.column(system.id), sql.column(system.parentId)]
  for (const staged of nested) {
    const { table, staging } = staged
    const hasParent = `EXISTS (SELECT 1 FROM ${sql.table(table.parent!)} AS ${alias.stored} WHERE ${alias.stored}.${id} = ${alias.staged}.${parentId})`
    const known = `EXISTS (SELECT 1 FROM ${sql.table(table.name)} AS ${alias.stored} WHERE ${alias.stored}.${id} = ${alias.staged}.${id})`
    const rows = `${staging} AS ${alias.staged} WHERE ${hasParent} AND NOT ${known}`
    await run(insert(sql, staged, `${firstOfEach(sql, [system.id], id, { rows })} AS ${alias.result}`))
  }
}
