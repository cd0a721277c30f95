import { PipelineError } from '../../errors/index.ts'
import { system, typedColumns, type MergeStrategy } from '../../schema/index.ts'
import type { MergePlan, Publisher, SqlConnection } from '../destination.ts'
import { byDelete } from './by-delete.ts'
import { byMerge } from './by-merge.ts'
import { insertNestedOfVersions, insertOnly } from './insert-new.ts'
import { insert, upsertPlan, withDays } from './staged-rows.ts'
import type { SqlNames } from './statements.ts'

/** Each merge strategy in the two ways that databases know, DELETE and INSERT or MERGE. */
export function sqlPublisher(connection: SqlConnection, sql: SqlNames): Publisher {
  const by = sql.dialect.changesByMerge === true ? byMerge : byDelete
  const run = (statement: string): Promise<void> => connection.run(statement)
  const strategies: Record<MergeStrategy, (plan: MergePlan) => Promise<void>> = {
    'delete-insert': (plan) => by.deleteInsert(run, sql, plan),
    upsert: (plan) => by.upsert(run, sql, upsertPlan(plan)),
    'insert-only': (plan) => insertOnly(run, sql, plan),
    async scd2(plan) {
      await by.versions(run, sql, plan)
      await insertNestedOfVersions(run, sql, plan)
    },
  }
  return {
    async claim(table) {
      const name = sql.table(table.name)
      if (sql.dialect.lock !== undefined) await run(sql.dialect.lock(`sluice rows ${name}`))
      // Of two transactions that MERGE into one table, the database itself ends one.
      const merges = sql.dialect.changesByMerge === true
      if (sql.dialect.lockByUpdate === true && !merges) {
        await run(`UPDATE ${sql.table(system.version)} SET version = version WHERE TRUE`)
      }
    },
    clear: (table) => run(`DELETE FROM ${sql.table(table.name)} WHERE TRUE`),
    appendFrom: (staged) => run(insert(sql, staged, staged.staging)),
    async copyFrom(staged) {
      if (sql.dialect.overwrites === true) return run(insert(sql, staged, staged.staging, 'INSERT OVERWRITE'))
      await run(`DELETE FROM ${sql.table(staged.table.name)} WHERE TRUE`)
      await run(insert(sql, staged, staged.staging))
    },
    async exchange({ table, staging }) {
      const target = sql.table(table.name)
      await run(`DROP TABLE ${target}`)
      await run(`CREATE TABLE ${target} AS SELECT * FROM ${staging}`)
      for (const column of typedColumns(table).filter(({ nullable }) => nullable === false)) {
        await run(`ALTER TABLE ${target} ALTER COLUMN ${sql.column(column.name)} SET NOT NULL`)
      }
    },
    async prepare(strategy, plan) {
      if (strategy === 'upsert' && upsertPlan(plan).deduplicated) await refuseDuplicates(connection, sql, plan)
      return withDays(connection, sql, plan)
    },
    merge: (strategy, plan) => strategies[strategy](plan),
  }
}

async function refuseDuplicates(connection: SqlConnection, sql: SqlNames, plan: MergePlan): Promise<void> {
  const keys = sql.columns(plan.primaryKey)
  const [first] = await connection.rows(
    `SELECT ${keys}, COUNT(*) AS _sluice_count FROM ${plan.root.staging} GROUP BY ${keys} HAVING COUNT(*) > 1 LIMIT 1`,
  )
  if (first === undefined) return
  const key = plan.primaryKey.map((name) => `${name} = ${String(first[name])}`).join(', ')
  throw new PipelineError(
    `table "${plan.root.table.name}": ${String(first._sluice_count)} rows of one load have the key ${key}`,
    {
      code: 'LOAD_FAILED',
      recovery: 'skip',
      fix: "say which one is kept with the column hint dedupSort, or use the merge strategy 'delete-insert', which keeps the last",
    },
  )
}
