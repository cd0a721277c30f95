import type { LoadTransaction } from '../destinations/index.ts'
import { PipelineError } from '../errors/index.ts'
import { checkName, columnsWith, pointsAtRows, tableWithNested, type Check, type Schema } from '../schema/index.ts'
import { atTable } from './failed-table.ts'

/** How a check ended. */
export interface CheckResult {
  table: string
  check: string
  severity: 'block' | 'warn' | 'quarantine'
  /** Rows that do not fit; 1 for checks about the whole load. */
  failing: number
}

/** Checks the rows of a load before its transaction ends. A check that blocks ends it without a trace. */
export async function runChecks(
  load: LoadTransaction,
  schema: Schema,
  checks: Readonly<Record<string, readonly Check[]>>,
  loadId: string,
): Promise<CheckResult[]> {
  const results: CheckResult[] = []
  for (const [name, list] of Object.entries(checks)) {
    const table = schema.tables.get(name)
    if (table === undefined || !table.seenData) continue
    for (const check of list) {
      const severity = check.severity ?? 'block'
      const failing = await atTable(name, () => load.checker.failing(name, check, loadId))
      results.push({ table: name, check: checkName(check), severity, failing })
      if (failing === 0) continue
      if (severity === 'block') await atTable(name, () => Promise.reject(blocked(name, check, failing)))
      if (severity === 'quarantine' && pointsAtRows(check)) {
        await load.checker.setAside(table, check, loadId, checkName(check))
        for (const nested of tableWithNested(schema, name).slice(1)) {
          if (nested.seenData && columnsWith(nested, 'parentKey').length > 0) await load.checker.removeOrphans(nested)
        }
      }
    }
  }
  return results
}

const blocked = (table: string, check: Check, failing: number): PipelineError =>
  new PipelineError(`table "${table}": ${failing} row(s) fail the check ${checkName(check)}; nothing was loaded`, {
    code: 'CHECK_FAILED',
    recovery: 'skip',
    fix: "correct the source, or let the check only tell ('warn') or set rows aside ('quarantine')",
  })
