import { PipelineError } from '../../errors/index.ts'
import { system } from '../../schema/index.ts'
import type { BegunLoad, DestinationTarget, RowObject } from '../destination.ts'
import { literal, quote, stagingPrefix } from './dialect.ts'

/** How long a load may take between its first and its last change before another one takes its tables back. */
const leaseMs = 60 * 60_000
const logTable = '_sluice_undo'
const ownTables: readonly string[] = [system.loads, system.version, system.state, logTable]

interface Claim {
  loadId: string
  /** A table, or the pipeline itself: two loads of one pipeline never run at the same time. */
  table: string
  version: number | undefined
  begunAt: number
}

/** What the log needs of a connection. */
interface Statements {
  run(sql: string): Promise<unknown>
  rows(sql: string): Promise<RowObject[]>
  tableNames(): Promise<string[]>
}

/**
 * Databricks commits each table by itself. So that a load is done whole or not at all, it writes down first which tables it
 * will change and at which version they are; when it fails, or its process dies, they are restored to these versions: by
 * itself, by its next try, or, after the lease, by whoever wants to change one of them.
 */
export class UndoLog {
  private readonly statements: Statements
  private readonly dataset: string
  private readonly begun: { loadId: string; at: number }

  private constructor(statements: Statements, dataset: string, loadId: string) {
    this.statements = statements
    this.dataset = dataset
    this.begun = { loadId, at: Date.now() }
  }

  /** Claims the tables of a load and notes their versions. Refuses tables that another load is changing. */
  static async begin(
    statements: Statements,
    { dataset, pipeline }: DestinationTarget,
    load: BegunLoad,
  ): Promise<UndoLog> {
    const log = new UndoLog(statements, dataset, load.loadId)
    const tables = load.tables.filter((table) => !ownTables.includes(table))
    await log.create()
    const own = (await log.claims()).filter(({ loadId }) => loadId === load.loadId)
    if (own.length > 0) await log.takeBack(load.loadId, own)
    const wanted = [...tables, `pipeline ${pipeline}`]
    await log.write(wanted.map((table) => ({ table, version: undefined })))
    try {
      await log.settleOthers(wanted)
      await log.write(await Promise.all(tables.map(async (table) => ({ table, version: await log.versionOf(table) }))))
    } catch (error) {
      await log.forget(load.loadId)
      throw error
    }
    return log
  }

  /** Refuses further changes when another load may have taken the tables back. */
  refuseLate(): void {
    if (Date.now() - this.begun.at < leaseMs) return
    throw new PipelineError(`load ${this.begun.loadId} took longer than an hour to change its tables`, {
      code: 'LOAD_FAILED',
      recovery: 'retry',
      fix: 'run again: it goes on from what was loaded before; a larger warehouse or smaller packages take less time',
    })
  }

  /** The load is complete: its ledger row says so, whether or not it is forgotten here. */
  async end(): Promise<void> {
    await this.forget(this.begun.loadId).catch(() => undefined)
  }

  /** Takes back what the load has changed, if that is still its own to do. */
  async undo(): Promise<void> {
    const own = (await this.claims()).filter(({ loadId }) => loadId === this.begun.loadId)
    if (own.length > 0) await this.takeBack(this.begun.loadId, own)
  }

  private name(table: string): string {
    return `${quote(this.dataset)}.${quote(table)}`
  }

  private async create(): Promise<void> {
    if ((await this.statements.tableNames()).includes(logTable)) return
    await this.statements.run(
      `CREATE TABLE IF NOT EXISTS ${this.name(logTable)} (load_id string, table_name string, version bigint, begun_at timestamp) USING DELTA`,
    )
  }

  private async write(claims: readonly { table: string; version: number | undefined }[]): Promise<void> {
    if (claims.length === 0) return
    const [load, at] = [literal(this.begun.loadId), literal(new Date(this.begun.at).toISOString())]
    const rows = claims.map(
      ({ table, version }) => `(${load}, ${literal(table)}, CAST(${version ?? 'NULL'} AS bigint), TIMESTAMP ${at})`,
    )
    await this.statements.run(`INSERT INTO ${this.name(logTable)} VALUES ${rows.join(', ')}`)
  }

  private async claims(): Promise<Claim[]> {
    const rows = await this.statements.rows(
      `SELECT load_id, table_name, version, unix_millis(begun_at) AS begun_at FROM ${this.name(logTable)}`,
    )
    return rows.map((row) => ({
      loadId: String(row.load_id),
      table: String(row.table_name),
      version: row.version === null || row.version === undefined ? undefined : Number(row.version),
      begunAt: Number(row.begun_at),
    }))
  }

  /** Loads that are through are forgotten, dead ones taken back; a live one on the same tables has to be waited for. */
  private async settleOthers(tables: readonly string[]): Promise<void> {
    const others = (await this.claims()).filter(({ loadId }) => loadId !== this.begun.loadId)
    const near = others.filter(({ table }) => tables.includes(table))
    for (const loadId of new Set(near.map((claim) => claim.loadId))) {
      const claims = others.filter((claim) => claim.loadId === loadId)
      if (await this.isLoaded(loadId)) await this.forget(loadId)
      else if (claims.every(({ begunAt }) => Date.now() - begunAt > leaseMs)) await this.takeBack(loadId, claims)
      else throw busy(claims[0]!)
    }
  }

  private async isLoaded(loadId: string): Promise<boolean> {
    const loads = this.name(system.loads)
    const rows = await this.statements.rows(`SELECT 1 AS found FROM ${loads} WHERE load_id = ${literal(loadId)}`)
    return rows.length > 0
  }

  private async takeBack(loadId: string, claims: readonly Claim[]): Promise<void> {
    // Without its staged rows, a process that only slept can add nothing any more.
    const staged = (await this.statements.tableNames()).filter((name) => name.startsWith(stagingPrefix(loadId)))
    if (loadId !== this.begun.loadId) {
      for (const name of staged) await this.statements.run(`DROP TABLE IF EXISTS ${this.name(name)}`)
    }
    for (const { table, version } of claims) {
      if (version === undefined) continue
      // A statement of a dead process may still be at work. It fails when the table itself was changed before it is through.
      const mark = `SET TBLPROPERTIES ('sluice.taken_back' = ${literal(loadId)})`
      await this.statements.run(`ALTER TABLE ${this.name(table)} ${mark}`)
      await this.statements.run(`RESTORE TABLE ${this.name(table)} TO VERSION AS OF ${version}`)
    }
    for (const table of [system.state, system.loads]) {
      const column = table === system.state ? system.loadId : 'load_id'
      await this.statements.run(`DELETE FROM ${this.name(table)} WHERE ${quote(column)} = ${literal(loadId)}`)
    }
    await this.forget(loadId)
  }

  private async forget(loadId: string): Promise<void> {
    await this.statements.run(`DELETE FROM ${this.name(logTable)} WHERE load_id = ${literal(loadId)}`)
  }

  private async versionOf(table: string): Promise<number | undefined> {
    const [newest] = await this.statements.rows(`DESCRIBE HISTORY ${this.name(table)} LIMIT 1`)
    return newest === undefined ? undefined : Number(newest.version)
  }
}

function busy({ loadId, table, begunAt }: Claim): PipelineError {
  const free = new Date(begunAt + leaseMs).toISOString().slice(0, 16).replace('T', ' ')
  return new PipelineError(`"${table}" is being changed by load ${loadId}`, {
    code: 'LOAD_FAILED',
    recovery: 'retry',
    fix: `run again when that load is through; if its process is gone for good, its changes are taken back after ${free} UTC`,
  })
}
