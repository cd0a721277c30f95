import { redact, type ErrorCode, type LoggedRequest, type RunRecord } from '../index.ts'

/** Whose matter it is. */
export type Classification =
  | 'config'
  | 'credentials'
  | 'upstream_data'
  | 'code'
  | 'destination'
  | 'resources'
  | 'transient'
  | 'unknown'

/** Something that went wrong in a run, or probably did. */
export interface RunFinding {
  classification: Classification
  what: string
  resource?: string
  /** What tells so: text of the run record, or of the API. */
  evidence: { source: string; excerpt: string }[]
  fix: string
  nextCommand?: string
  /** It cannot be put right by changing the project. */
  needsPerson: boolean
}

const byCode: Record<ErrorCode, Classification> = {
  WRONG_USE: 'config',
  CONFIG_MISSING: 'config',
  CONFIG_INVALID: 'config',
  SECRET_IN_CONFIG: 'config',
  DRIVER_MISSING: 'config',
  SOURCE_INVALID: 'config',
  RESOURCE_FAILED: 'code',
  CURSOR_MISSING: 'upstream_data',
  CONTRACT_VIOLATED: 'upstream_data',
  CHECK_FAILED: 'upstream_data',
  NULL_NOT_ALLOWED: 'upstream_data',
  VALUE_NOT_STORABLE: 'upstream_data',
  NESTED_TOO_DEEP: 'upstream_data',
  TOO_MANY_KEYS: 'upstream_data',
  LIMIT_EXCEEDED: 'upstream_data',
  HTTP_STATUS: 'config',
  HTTP_FAILED: 'transient',
  HTTP_NOT_JSON: 'upstream_data',
  HTTP_NOT_A_PAGE: 'upstream_data',
  HTTP_TOO_LARGE: 'upstream_data',
  LINK_FORBIDDEN: 'config',
  PATH_VALUE_FORBIDDEN: 'upstream_data',
  HOST_NOT_ALLOWED: 'config',
  PAGING_LOOP: 'config',
  PAGING_UNKNOWN: 'config',
  NOTHING_CAME: 'upstream_data',
  LOAD_FAILED: 'destination',
  PACKAGE_DAMAGED: 'resources',
  NEWER_FORMAT: 'config',
  DISK_REFUSED: 'resources',
  PIPELINE_BUSY: 'transient',
  PIPELINE_OVERTAKEN: 'transient',
  PIPELINE_UNKNOWN: 'config',
  QUERY_FAILED: 'destination',
  QUERY_TIMEOUT: 'destination',
  QUERY_TOO_LARGE: 'destination',
  READ_ONLY: 'config',
  RUN_FAILED: 'unknown',
  ABORTED: 'transient',
}

type Failure = NonNullable<RunRecord['error']>
type ResourceRecord = RunRecord['resources'][string]
type FirstPageRecord = NonNullable<ResourceRecord['firstPage']>
type Notice = RunRecord['notices'][number]['notice']

/** What went wrong in a run; for one that ended well, what looks as if it loaded too little. */
export function explainRun(run: RunRecord, requests: readonly LoggedRequest[]): RunFinding[] {
  const failures = new Map<string, Failure>()
  for (const [resource, { error }] of Object.entries(run.resources))
    if (error !== undefined) failures.set(error.message, { ...error, resource })
  if (run.error !== undefined && !failures.has(run.error.message)) failures.set(run.error.message, run.error)
  const findings = [...failures.values()].map((error) => explainError(run, error, requests))
  if (run.status === 'died') findings.push(died(run))
  const told = warnings(run)
  const untold = tooLittle(run, requests).filter(({ resource }) => told.every((one) => one.resource !== resource))
  return [...findings, ...told, ...untold]
}

function explainError(run: RunRecord, error: Failure, requests: readonly LoggedRequest[]): RunFinding {
  const last = requests.findLast(
    ({ resource, status }) =>
      (error.resource === undefined || resource === error.resource) && (status >= 400 || status === 0),
  )
  const classification = error.code === 'HTTP_STATUS' ? byStatus(last?.status) : kindOf(error)
  const evidence = [{ source: `run ${run.id}`, excerpt: `${error.code}: ${error.message}` }]
  if (error.cause !== undefined) evidence.push({ source: 'cause', excerpt: error.cause })
  if (last !== undefined && error.code.startsWith('HTTP')) {
    const excerpt = `${last.method} ${last.url} answered ${last.status}: ${redact(last.responseBody).slice(0, 300)}`
    evidence.push({ source: 'request', excerpt })
  }
  const nextCommand = commandFor(run, error, classification)
  return {
    classification,
    what: error.message.split('\n')[0]!,
    ...(error.resource === undefined ? {} : { resource: error.resource }),
    evidence,
    fix: error.fix,
    ...(nextCommand === undefined ? {} : { nextCommand }),
    needsPerson: classification === 'credentials',
  }
}

function kindOf({ code, message }: Failure): Classification {
  if (code === 'CONFIG_MISSING' && /\bsecret\b|credential/.test(message)) return 'credentials'
  return Object.hasOwn(byCode, code) ? byCode[code as ErrorCode] : 'code'
}

function byStatus(status: number | undefined): Classification {
  if (status === 401 || status === 403) return 'credentials'
  if (status === 429 || (status !== undefined && status >= 500)) return 'transient'
  return 'config'
}

function commandFor(run: RunRecord, error: Failure, kind: Classification): string | undefined {
  const refused = run.refusedPackages?.find(({ refusals }) =>
    refusals.some(({ message }) => error.message.includes(message)),
  )
  if (refused !== undefined) return refused.commands?.show ?? `sluice pipeline ${run.pipeline} failed-packages`
  const file = run.command.args.find((part) => /\.source\.(ya?ml|json)$/.test(part))
  if (kind === 'credentials') return 'sluice secrets list'
  if (error.code === 'SOURCE_INVALID' && file !== undefined) return `sluice source lint ${file}`
  if (error.code.startsWith('HTTP') || error.code.startsWith('PAGING')) {
    if (file !== undefined && kind === 'config')
      return `sluice source probe ${file}${error.resource === undefined ? '' : ` --resources ${error.resource}`}`
    return `sluice pipeline ${run.pipeline} requests ${run.id}`
  }
  if (kind === 'destination' && run.destination !== undefined)
    return `sluice doctor --destination ${run.destination} --pipeline ${run.pipeline}`
  if (kind === 'upstream_data') return `sluice pipeline ${run.pipeline} trace ${run.id}`
  return undefined
}

const died = (run: RunRecord): RunFinding => ({
  classification: 'resources',
  what: 'the process of the run ended without a word',
  evidence: [
    {
      source: `run ${run.id}`,
      excerpt: `process ${run.pid} is gone; the record ends after ${Math.round(run.durationMs)} ms`,
    },
  ],
  fix: 'run it again: what was loaded stays, the rest follows; if it dies again, look at the memory of the machine',
  needsPerson: false,
})

/** What a run that ended well may have missed. */
function tooLittle(run: RunRecord, requests: readonly LoggedRequest[]): RunFinding[] {
  return Object.entries(run.resources).flatMap(([resource, one]) => {
    if (one.error !== undefined || run.status === 'running') return []
    const answers = Object.entries(one.requests).map(([status, { count }]) => `${status} ${count} times`)
    const first = requests.find((request) => request.resource === resource && request.status < 400)
    const sample =
      first === undefined
        ? []
        : [{ source: 'answer', excerpt: `${first.url}: ${redact(first.responseBody).slice(0, 300)}` }]
    const summary = {
      source: `run ${run.id}`,
      excerpt: `${resource}: ${one.rows} rows in ${one.pages} pages; answers: ${answers.join(', ')}`,
    }
    const suspicion = suspicionOf(resource, one)
    if (suspicion === undefined) return []
    return [{ classification: 'config', resource, evidence: [summary, ...sample], needsPerson: false, ...suspicion }]
  })
}

/**
 * Rows that were left out because they are known, an empty list, and a run that was to read only some pages are no reason to
 * worry.
 */
function suspicionOf(resource: string, one: ResourceRecord): Pick<RunFinding, 'what' | 'fix'> | undefined {
  const { firstPage, skipped } = one
  if (firstPage?.matched === false) {
    const lists = firstPage.listsAt.length === 0 ? '' : `; there are lists at: ${firstPage.listsAt.join(', ')}`
    return {
      what: `"${resource}": nothing is at ${firstPage.rowsAt} in the first answer${lists}`,
      fix: 'if the API leaves an empty list out, nothing is wrong; otherwise correct data_selector',
    }
  }
  if (skipped > 0) {
    return {
      what: `${skipped} answers of "${resource}" were passed over, by a response action or for want of rows`,
      fix: 'if those rows are wanted, correct the path or the ids; otherwise nothing is wrong',
    }
  }
  if (firstPage === undefined || !mayBeFirstOfMore(firstPage)) return undefined
  return {
    what: `"${resource}" loaded one page, of exactly ${firstPage.rows} rows`,
    fix: 'the API may have more: see whether the answer names a next page, and declare the paginator',
  }
}

/** What the run itself warned of. */
const warnings = (run: RunRecord): RunFinding[] =>
  run.notices.flatMap(({ notice }) => {
    const finding = warningOf(notice)
    if (finding === undefined) return []
    const evidence = [{ source: `run ${run.id}`, excerpt: `${notice.kind}: ${notice.table}` }]
    return [{ evidence, needsPerson: false, ...finding }]
  })

function warningOf(notice: Notice): Pick<RunFinding, 'classification' | 'what' | 'fix' | 'resource'> | undefined {
  if (notice.kind === 'pages-in-doubt') {
    return {
      classification: 'config',
      resource: notice.table,
      what: `"${notice.table}" may not be complete: ${notice.detail}`,
      fix: "compare the rows with the API's own count; declare the paginator, or correct its path",
    }
  }
  if (notice.kind !== 'table-emptied') return undefined
  return {
    classification: 'upstream_data',
    what: `table "${notice.table}" had ${notice.rowsBefore ?? 'some'} rows and was left empty`,
    fix: 'if there are rows at the source, correct what selects them and run again; otherwise nothing is wrong',
  }
}

/** One page of a round number of rows, and nothing said that it was all. */
const mayBeFirstOfMore = ({ rows, hasNext, isAll, paginator }: FirstPageRecord): boolean =>
  !hasNext && !isAll && paginator === 'single_page' && [10, 20, 25, 30, 40, 50, 100, 200, 250, 500, 1000].includes(rows)
