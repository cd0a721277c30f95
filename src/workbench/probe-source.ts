import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { duckdb } from '../destinations/duckdb/duckdb.ts'
import { pipeline, PipelineError, type RunEvent, type Source } from '../index.ts'
import { inFileSpelling, loadSourceFile } from '../sources/rest/index.ts'

/** What one request of a resource told. */
export interface Probe {
  resource: string
  status: number | undefined
  ms: number | undefined
  firstPage: Extract<RunEvent, { type: 'first-page' }> | undefined
  error: PipelineError | undefined
  /** Of its table, as a load would make it. */
  columns: { name: string; dataType: string }[]
}

/** One live request for each resource of a source file, or for those named. */
export function probeSourceFile(file: string, resources?: readonly string[]): Promise<Probe[]> {
  const whole = loadSourceFile(file, { probing: true })
  return probeSource(resources === undefined ? whole : whole.withResources(...resources))
}

/** Loads a source into a file that is thrown away, and tells what its requests brought. A failure of a resource is told, not thrown. */
export async function probeSource(source: Source): Promise<Probe[]> {
  const probes = new Map<string, Probe>(
    source.selected.map((resource) => [
      resource,
      { resource, status: undefined, ms: undefined, firstPage: undefined, error: undefined, columns: [] },
    ]),
  )
  const trial = pipeline({ name: `probe_${source.name}`.slice(0, 100), dataset: 'probe' })
  mkdirSync(trial.dataDir, { recursive: true, mode: 0o700 })
  const loading = pipeline({
    name: trial.name,
    dataset: 'probe',
    destination: duckdb({ path: join(trial.dataDir, 'probe.duckdb') }),
  })
  try {
    loading.on((event) => noteEvent(probes, event))
    await loading.run(source).catch((error: unknown) => {
      const found = error instanceof PipelineError ? probes.get(error.resource ?? '') : undefined
      if (found === undefined) throw error
      found.error = error as PipelineError
    })
    const [schema] = (await loading.schemas()).slice(-1)
    for (const table of schema?.tables.values() ?? []) {
      const found = table.resource === undefined || table.parent !== undefined ? undefined : probes.get(table.resource)
      if (found === undefined) continue
      found.columns = [...table.columns.values()].flatMap(({ name, dataType }) =>
        name.startsWith('_dlt_') || dataType === undefined ? [] : [{ name, dataType }],
      )
    }
  } finally {
    rmSync(trial.dataDir, { recursive: true, force: true })
  }
  return [...probes.values()]
}

function noteEvent(probes: ReadonlyMap<string, Probe>, event: RunEvent): void {
  const found = 'resource' in event ? probes.get(event.resource) : undefined
  if (found === undefined) return
  if (event.type === 'request') Object.assign(found, { status: event.status, ms: event.ms })
  if (event.type === 'first-page') found.firstPage = event
  if (event.type === 'resource-failed') found.error = inFileSpelling(event.error) as PipelineError
}

/** What is wrong with the first page of a resource that was read without an error, in words. */
export function probeProblems({ firstPage }: Pick<Probe, 'firstPage'>): { problem: string; fix: string }[] {
  if (firstPage === undefined) return []
  const { matched, rowsAt, listsAt, doubt } = firstPage
  const problems: { problem: string; fix: string }[] = []
  if (!matched) {
    problems.push({
      problem: `data_selector "${rowsAt}" matches nothing in the response`,
      fix:
        listsAt.length === 0
          ? 'the response has no list; read it, and correct data_selector'
          : `select one of the lists in the response: ${listsAt.join(', ')}`,
    })
  }
  if (doubt !== undefined) {
    problems.push({
      problem: `paging ends with this page, yet there are more rows: ${doubt}`,
      fix: 'declare the paginator that the API documents; leave it out, and the first response tells',
    })
  }
  return problems
}

/** The same as plain JSON. */
export const probeFacts = ({ resource, status, ms, firstPage, error, columns }: Probe) => ({
  resource,
  ok: error === undefined && probeProblems({ firstPage }).length === 0,
  status: status ?? null,
  ms: ms === undefined ? null : Math.round(ms),
  ...(firstPage === undefined
    ? {}
    : {
        rowsAt: firstPage.rowsAt,
        rows: firstPage.rows,
        paginator: firstPage.paginator ?? null,
        detected: firstPage.isDetected,
        hasNext: firstPage.hasNext,
        problems: probeProblems({ firstPage }),
      }),
  columns,
  ...(error === undefined
    ? {}
    : { error: { code: error.code, message: error.summary ?? String(error), fix: error.fix } }),
})
