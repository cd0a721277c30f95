import { PipelineError } from '../../errors/index.ts'
import { columnsWith, system, typedColumns, type MergeStrategy } from '../../schema/index.ts'
import type { MergePlan, Publisher, SqlConnection, StagedTable } from '../destination.ts'
import { equalKeys, type SqlNames } from './statements.ts'

/** Each merge strategy once, for every SQL database. */
export function sqlPublisher(connection: SqlConnection, sql: SqlNames): Publisher {
  const run = (statement: string): Promise<void> => connection.run(statement)
  const strategies: Record<MergeStrategy, (plan: MergePlan) => Promise<void>> = {
    'delete-insert': (plan) => deleteInsert(run, sql, plan),
    upsert: async (plan) => {
      await refuseDuplicates(connection, sql, plan)
      await upsert(run, sql, plan)
    },
    'insert-only': (plan) => insertOnly(run, sql, plan),
    scd2: (plan) => scd2(run, sql, plan),
  }
  return {
    clear: (table) => run(`DELETE FROM ${sql.table(table.name)}`),
    appendFrom: (staged) => run(insert(sql, staged, staged.staging)),
    async copyFrom(staged) {
      await run(`DELETE FROM ${sql.table(staged.table.name)}`)
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
    merge: (strategy, plan) => strategies[strategy](plan),
  }
}

type Run = (statement: string) => Promise<void>

const columnNames = (staged: StagedTable): string[] => typedColumns(staged.table).map((column) => column.name)

function insert(sql: SqlNames, staged: StagedTable, from: string): string {
  const columns = sql.columns(columnNames(staged))
  return `INSERT INTO ${sql.table(staged.table.name)} (${columns}) SELECT ${columns} FROM ${from}`
}

const nullSafe = (columns: string[]): string => (columns.length === 0 ? 'FALSE' : columns.join(' AND '))

/** True for staged rows that ask for deletion. */
function deleted(sql: SqlNames, plan: MergePlan): string {
  if (plan.hardDelete === undefined) return 'FALSE'
  const column = sql.column(plan.hardDelete)
  const flag = plan.root.table.columns.get(plan.hardDelete)?.dataType === 'bool'
  return flag ? `COALESCE(${column}, FALSE)` : `${column} IS NOT NULL`
}

/** The staged root rows that are to be stored: one a key, none that asks for deletion. */
function survivors(sql: SqlNames, plan: MergePlan): string {
  const kept = `NOT (${deleted(sql, plan)})`
  if (plan.primaryKey.length === 0 || plan.deduplicated) return `(SELECT * FROM ${plan.root.staging} WHERE ${kept})`
  const order =
    plan.dedupSort === undefined
      ? // Nothing says which row wins: the one read last.
        `${sql.dialect.arrivalOrder} DESC`
      : `${sql.column(plan.dedupSort.column)} ${plan.dedupSort.order.toUpperCase()} NULLS LAST, ${sql.dialect.arrivalOrder} DESC`
  return (
    `(SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY ${sql.columns(plan.primaryKey)} ORDER BY ${order}) AS _sluice_rank ` +
    `FROM ${plan.root.staging}) AS ranked WHERE _sluice_rank = 1 AND ${kept})`
  )
}

/** The keys by which staged rows meet stored ones: each alone, since an OR of both keeps databases from joining. */
const matchKeys = (keys: readonly (readonly string[])[]): (readonly string[])[] => keys.filter((key) => key.length > 0)

/** Ids of stored root rows that the staged ones replace: equal in the primary key or in the merge key. */
function replacedIds(sql: SqlNames, plan: MergePlan): string {
  const id = sql.column(system.id)
  return matchKeys([plan.primaryKey, plan.mergeKey])
    .map((keys) => {
      const match = `EXISTS (SELECT 1 FROM ${plan.root.staging} AS s WHERE ${equalKeys(sql, keys, 's', 't')})`
      return `SELECT t.${id} FROM ${sql.table(plan.root.table.name)} AS t WHERE ${match}`
    })
    .join(' UNION ')
}

/** Nested tables that hang on their root row; the others have keys and are merged by them. */
const isLinked = (staged: StagedTable): boolean => columnsWith(staged.table, 'parentKey').length > 0

async function deleteNested(run: Run, sql: SqlNames, plan: MergePlan, rootIds: string): Promise<void> {
  for (const { table, staging } of plan.nested) {
    const target = sql.table(table.name)
    await run(`DELETE FROM ${target} WHERE ${sql.column(system.rootId)} IN (${rootIds})`)
    for (const key of matchKeys([columnsWith(table, 'primaryKey'), columnsWith(table, 'mergeKey')])) {
      await run(
        `DELETE FROM ${target} WHERE EXISTS (SELECT 1 FROM ${staging} AS s WHERE ${equalKeys(sql, key, 's', target)})`,
      )
    }
  }
}

async function insertNested(run: Run, sql: SqlNames, plan: MergePlan, rootIds: string): Promise<void> {
  for (const staged of plan.nested) {
    const mine = `(SELECT * FROM ${staged.staging} WHERE ${sql.column(system.rootId)} IN (${rootIds})) AS mine`
    await run(insert(sql, staged, mine))
  }
}

async function deleteInsert(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const id = sql.column(system.id)
  const target = sql.table(plan.root.table.name)
  await deleteNested(run, sql, plan, replacedIds(sql, plan))
  for (const keys of matchKeys([plan.primaryKey, plan.mergeKey])) {
    const match = equalKeys(sql, keys, 's', target)
    await run(`DELETE FROM ${target} WHERE EXISTS (SELECT 1 FROM ${plan.root.staging} AS s WHERE ${match})`)
  }
  await run(insert(sql, plan.root, `${survivors(sql, plan)} AS kept`))
  await insertNested(run, sql, plan, `SELECT ${id} FROM ${survivors(sql, plan)} AS kept`)
}

async function refuseDuplicates(connection: SqlConnection, sql: SqlNames, plan: MergePlan): Promise<void> {
  const keys = sql.columns(plan.primaryKey)
  const [first] = await connection.rows(
    `SELECT ${keys}, COUNT(*) AS n FROM ${plan.root.staging} GROUP BY ${keys} HAVING COUNT(*) > 1 LIMIT 1`,
  )
  if (first === undefined) return
  const key = plan.primaryKey.map((name) => `${name} = ${String(first[name])}`).join(', ')
  throw new PipelineError(`table "${plan.root.table.name}": ${String(first.n)} rows of one load have the key ${key}`, {
    code: 'LOAD_FAILED',
    fix: "make the rows unique, or use the merge strategy 'delete-insert', which keeps one of them",
  })
}

async function upsert(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const target = sql.table(plan.root.table.name)
  const matched = equalKeys(sql, plan.primaryKey, 's', target)
  await deleteNested(run, sql, plan, replacedIds(sql, plan))
  if (plan.hardDelete !== undefined) {
    const gone = `(SELECT * FROM ${plan.root.staging} WHERE ${deleted(sql, plan)})`
    await run(`DELETE FROM ${target} WHERE EXISTS (SELECT 1 FROM ${gone} AS s WHERE ${matched})`)
  }
  const rows = survivors(sql, { ...plan, deduplicated: true })
  const assignments = columnNames(plan.root)
    .map((name) => `${sql.column(name)} = s.${sql.column(name)}`)
    .join(', ')
  await run(`UPDATE ${target} SET ${assignments} FROM ${rows} AS s WHERE ${matched}`)
  const fresh = `(SELECT * FROM ${rows} AS s WHERE NOT EXISTS (SELECT 1 FROM ${target} WHERE ${matched}))`
  await run(insert(sql, plan.root, `${fresh} AS fresh`))
  await insertNested(run, sql, plan, `SELECT ${sql.column(system.id)} FROM ${rows} AS kept`)
}

async function insertOnly(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const target = sql.table(plan.root.table.name)
  const known = `EXISTS (SELECT 1 FROM ${target} WHERE ${equalKeys(sql, plan.primaryKey, 'kept', target)})`
  await run(`${insert(sql, plan.root, `${survivors(sql, plan)} AS kept`)} WHERE NOT ${known}`)
  await insertNewNested(run, sql, plan)
}

/** Nested rows whose id is not stored yet. Ids are fixed by key and place, so a known row is never doubled. */
async function insertNewNested(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const id = sql.column(system.id)
  for (const staged of plan.nested.filter(isLinked)) {
    const known = `SELECT ${id} FROM ${sql.table(staged.table.name)}`
    await run(`${insert(sql, staged, `${staged.staging} AS s`)} WHERE s.${id} NOT IN (${known})`)
  }
}

async function scd2(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const { boundary, active, from, to, version } = plan.scd2!
  const { dialect } = sql
  const target = sql.table(plan.root.table.name)
  const versionColumn = sql.column(version)
  const activeValue = active === null ? 'NULL' : dialect.timestampLiteral(active)
  const isActive = active === null ? `${sql.column(to)} IS NULL` : `${sql.column(to)} = ${activeValue}`
  const sameKey =
    plan.mergeKey.length === 0
      ? ''
      : // Rows of keys that this load does not mention stay as they are.
        ` AND EXISTS (SELECT 1 FROM ${plan.root.staging} AS s WHERE ${nullSafe([equalKeys(sql, plan.mergeKey, 's', target)])})`
  await run(
    `UPDATE ${target} SET ${sql.column(to)} = ${dialect.timestampLiteral(boundary)} WHERE ${isActive} ` +
      `AND ${versionColumn} NOT IN (SELECT ${versionColumn} FROM ${plan.root.staging})${sameKey}`,
  )
  const others = columnNames(plan.root).filter((name) => name !== from && name !== to)
  await run(
    `INSERT INTO ${target} (${sql.columns([from, to, ...others])}) ` +
      `SELECT ${dialect.timestampLiteral(boundary)}, ${activeValue}, ${sql.columns(others)} FROM ${plan.root.staging} ` +
      `WHERE ${versionColumn} NOT IN (SELECT ${versionColumn} FROM ${target} WHERE ${isActive})`,
  )
  await insertNewNested(run, sql, plan)
}
