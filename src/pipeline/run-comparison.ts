import type { RunRecord } from './run-record.ts'

/** A figure of two runs; `undefined` where a run has none. */
export interface Compared {
  name: string
  before: number | undefined
  after: number | undefined
}

export interface RunComparison {
  before: RunRecord
  after: RunRecord
  /** Rows loaded, by table. */
  tables: Compared[]
  /** Tables that the later run found with rows, and left empty. */
  emptied: string[]
  /** How long resources took, in ms. */
  durations: Compared[]
  /** Requests, by resource. */
  requests: Compared[]
}

/** What is other in a run than in one before it. */
export function compareRuns(before: RunRecord, after: RunRecord): RunComparison {
  return {
    before,
    after,
    tables: compared(tables(before), tables(after)),
    emptied: emptiedTables(after),
    durations: compared(durations(before), durations(after)),
    requests: compared(requests(before), requests(after)),
  }
}

function compared(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Compared[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort((a, b) => a.localeCompare(b))
  return names.map((name) => ({ name, before: before.get(name), after: after.get(name) }))
}

/** A table that a run has emptied is not one that it has nothing to do with. */
const tables = (run: RunRecord): Map<string, number> =>
  new Map([...emptiedTables(run).map((name) => [name, 0] as const), ...Object.entries(run.tables)])

const emptiedTables = ({ notices }: RunRecord): string[] =>
  notices.flatMap(({ notice }) => (notice.kind === 'table-emptied' ? [notice.table] : []))

const durations = ({ resources, durationMs }: RunRecord): Map<string, number> =>
  new Map(
    Object.entries(resources).map(([name, one]) => [name, (one.finishedMs ?? durationMs) - one.startedMs] as const),
  )

const requests = ({ resources }: RunRecord): Map<string, number> =>
  new Map(
    Object.entries(resources)
      .map(([name, one]) => [name, Object.values(one.requests).reduce((sum, { count }) => sum + count, 0)] as const)
      .filter(([, count]) => count > 0),
  )
