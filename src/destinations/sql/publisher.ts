import { PipelineError } from '../../errors/index.ts'
import { columnsWith, system, typedColumns, type MergeStrategy } from '../../schema/index.ts'
import type { MergePlan, Publisher, SqlConnection, StagedTable } from '../destination.ts'
import { alike, deleteAmong, deleteMatching, updateMatching } from './row-changes.ts'
import { equalKeys, type SqlNames } from './statements.ts'

/** Each merge strategy once, for every SQL database. */
export function sqlPublisher(connection: SqlConnection, sql: SqlNames): Publisher {
  const run = (statement: string): Promise<void> => connection.run(statement)
  const strategies: Record<MergeStrategy, (plan: MergePlan) => Promise<void>> = {
    'delete-insert': (plan) => deleteInsert(run, sql, plan),
    upsert: (plan) => upsert(run, sql, plan),
    'insert-only': (plan) => insertOnly(run, sql, plan),
    scd2: (plan) => scd2(run, sql, plan),
  }
  return {
    clear: (table) => run(`DELETE FROM ${sql.table(table.name)} WHERE TRUE`),
    appendFrom: (staged) => run(insert(sql, staged, staged.staging)),
    async copyFrom(staged) {
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
      if (strategy === 'upsert') await refuseDuplicates(connection, sql, plan)
      return withDays(connection, sql, plan)
    },
    merge: (strategy, plan) => strategies[strategy](plan),
  }
}

type Run = (statement: string) => Promise<void>

const columnNames = (staged: StagedTable): string[] => typedColumns(staged.table).map((column) => column.name)

function insert(sql: SqlNames, staged: StagedTable, from: string): string {
  const columns = sql.columns(columnNames(staged))
  return `INSERT INTO ${sql.table(staged.table.name)} (${columns}) SELECT ${values(sql, staged)} FROM ${from}`
}

/** The values of staged cells, for a list of columns. */
const values = (sql: SqlNames, staged: StagedTable, of = columnNames(staged), prefix = ''): string =>
  of.map((name) => valueOf(sql, staged, name, prefix)).join(', ')

function valueOf(sql: SqlNames, { table }: StagedTable, name: string, prefix = ''): string {
  const cell = prefix + sql.column(name)
  return sql.dialect.fromStaged?.(table.columns.get(name)!, cell) ?? cell
}

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
      return `SELECT t.${id} FROM ${sql.table(plan.root.table.name)} AS t WHERE ${match}${onDays(sql, plan, 't')}`
    })
    .join(' UNION ALL ')
}

/** Nested tables that hang on their root row; the others have keys and are merged by them. */
const isLinked = (staged: StagedTable): boolean => columnsWith(staged.table, 'parentKey').length > 0

async function deleteNested(run: Run, sql: SqlNames, plan: MergePlan, rootIds: string): Promise<void> {
  for (const { table, staging } of plan.nested) {
    await run(deleteAmong(sql, table.name, system.rootId, rootIds))
    for (const key of matchKeys([columnsWith(table, 'primaryKey'), columnsWith(table, 'mergeKey')])) {
      await run(deleteMatching(sql, { table: table.name, source: staging, match: alike(key) }))
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
  await deleteNested(run, sql, plan, replacedIds(sql, plan))
  for (const keys of matchKeys([plan.primaryKey, plan.mergeKey])) {
    const { table, staging } = plan.root
    const also = onDays(sql, plan, 't')
    await run(deleteMatching(sql, { table: table.name, source: staging, match: alike(keys), also }))
  }
  await run(insert(sql, plan.root, `${survivors(sql, plan)} AS kept`))
  await insertNested(run, sql, plan, `SELECT ${id} FROM ${survivors(sql, plan)} AS kept`)
}

/** More days than these are most of a table. */
const mostDays = 1000

/** Names the days of the partition column, where it belongs to the key by which all stored rows are found. */
async function withDays(connection: SqlConnection, sql: SqlNames, plan: MergePlan): Promise<MergePlan> {
  const { table, staging } = plan.root
  const keys = matchKeys([plan.primaryKey, plan.mergeKey])
  const name = columnsWith(table, 'partition').find((one) => keys.every((key) => key.includes(one)))
  const { dayOf } = sql.dialect
  if (dayOf === undefined || name === undefined || keys.length === 0) return plan
  const day = dayOf(table.columns.get(name)!, sql.column(name))
  const days = await connection.rows(
    `SELECT DISTINCT ${day} AS day FROM ${staging} WHERE ${sql.column(name)} IS NOT NULL ORDER BY day LIMIT ${mostDays + 1}`,
  )
  if (days.length === 0 || days.length > mostDays) return plan
  return { ...plan, days: { column: name, values: days.map((row) => String(row.day)) } }
}

/** The days of the stored rows, as a further condition on the table of the given name. */
function onDays(sql: SqlNames, { root, days }: MergePlan, table: string): string {
  if (days === undefined) return ''
  const day = sql.dialect.dayOf!(root.table.columns.get(days.column)!, `${table}.${sql.column(days.column)}`)
  return ` AND ${day} IN (${days.values.map((value) => `DATE ${sql.dialect.literal(value)}`).join(', ')})`
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
  const table = plan.root.table.name
  const match = alike(plan.primaryKey)
  await deleteNested(run, sql, plan, replacedIds(sql, plan))
  if (plan.hardDelete !== undefined) {
    const source = `(SELECT * FROM ${plan.root.staging} WHERE ${deleted(sql, plan)})`
    await run(deleteMatching(sql, { table, source, match, also: onDays(sql, plan, 't') }))
  }
  const rows = survivors(sql, { ...plan, deduplicated: true })
  if (sql.dialect.upsertsByMerge ?? sql.dialect.changesByMerge ?? false) {
    await run(mergeByKey(sql, plan, rows))
  } else {
    await run(updateMatching(sql, { table, source: rows, match, set: alike(columnNames(plan.root)) }))
    const known = `SELECT 1 FROM ${sql.table(table)} AS t WHERE ${equalKeys(sql, plan.primaryKey, 's', 't')}`
    await run(insert(sql, plan.root, `(SELECT * FROM ${rows} AS s WHERE NOT EXISTS (${known})) AS fresh`))
  }
  await insertNested(run, sql, plan, `SELECT ${sql.column(system.id)} FROM ${rows} AS kept`)
}

/** One statement: rows that are there take the new values, the others are added. */
function mergeByKey(sql: SqlNames, plan: MergePlan, rows: string): string {
  const { root, primaryKey } = plan
  const names = columnNames(root)
  const assignments = names.map((name) => `${sql.column(name)} = ${valueOf(sql, root, name, 's.')}`)
  return (
    `MERGE INTO ${sql.table(root.table.name)} AS t USING ${rows} AS s ON ${equalKeys(sql, primaryKey, 's', 't')}${onDays(sql, plan, 't')} ` +
    `WHEN MATCHED THEN UPDATE SET ${assignments.join(', ')} ` +
    `WHEN NOT MATCHED THEN INSERT (${sql.columns(names)}) VALUES (${values(sql, root, names, 's.')})`
  )
}

async function insertOnly(run: Run, sql: SqlNames, plan: MergePlan): Promise<void> {
  const target = sql.table(plan.root.table.name)
  const known = `EXISTS (SELECT 1 FROM ${target} AS t WHERE ${equalKeys(sql, plan.primaryKey, 'kept', 't')})`
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
  const moment = (text: string): string => dialect.timestampLiteral(text)
  const noTime = `CAST(NULL AS ${dialect.typeName(plan.root.table.columns.get(to)!)})`
  const isActive = `${sql.column(to)} ${active === null ? 'IS NULL' : `= ${moment(active)}`}`
  const sameKey = (table: string): string =>
    plan.mergeKey.length === 0
      ? ''
      : // Rows of keys that this load does not mention stay as they are.
        ` AND EXISTS (SELECT 1 FROM ${plan.root.staging} AS s WHERE ${equalKeys(sql, plan.mergeKey, 's', table)})`
  const isGone = `${isActive} AND ${versionColumn} NOT IN (SELECT ${versionColumn} FROM ${plan.root.staging})`
  const ended = `SET ${sql.column(to)} = ${moment(boundary)}`
  await run(
    dialect.changesByMerge === true
      ? `MERGE INTO ${target} AS t USING (SELECT DISTINCT ${versionColumn} FROM ${target} AS v WHERE ${isGone}${sameKey('v')}) AS s ` +
          `ON s.${versionColumn} = t.${versionColumn} AND t.${isActive} WHEN MATCHED THEN UPDATE ${ended}`
      : `UPDATE ${target} ${ended} WHERE ${isGone}${sameKey(target)}`,
  )
  const others = columnNames(plan.root).filter((name) => name !== from && name !== to)
  await run(
    `INSERT INTO ${target} (${sql.columns([from, to, ...others])}) ` +
      `SELECT ${moment(boundary)}, ${active === null ? noTime : moment(active)}, ${values(sql, plan.root, others)} FROM ${plan.root.staging} ` +
      `WHERE ${versionColumn} NOT IN (SELECT ${versionColumn} FROM ${target} WHERE ${isActive})`,
  )
  await insertNewNested(run, sql, plan)
}
