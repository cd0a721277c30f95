import { PipelineError } from '../errors/index.ts'
import type { DestinationSession, Reader, ReadLimits, RowObject } from '../destinations/index.ts'
import { queryInProcess } from './query-process/query-process.ts'
import type { RememberedTarget } from './remembered-target.ts'

/** A connection that takes queries. */
export interface Querying extends AsyncDisposable {
  readonly reader: Pick<Reader, 'rows' | 'query'>
}

/** A connection to read from. */
export interface Reading extends Querying {
  readonly reader: Reader
}

/** What errors speak of. */
interface Place {
  pipeline: string
  limits: ReadLimits | undefined
}

/** A session to read from, whose errors say what the database refused, and what to do. */
export function readingFrom(session: DestinationSession, place: Place): Reading {
  const { reader } = session
  return {
    reader: { ...reader, tables: () => explained(place, () => reader.tables()), ...queriesOf(reader, place) },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  }
}

const queriesOf = (reader: Querying['reader'], place: Place): Querying['reader'] => ({
  rows: (sql, values) => explained(place, () => reader.rows(sql, values)),
  query: (sql, values, options) =>
    explained(place, async () => {
      const { columns, pages } = await reader.query(sql, values, options)
      return { columns, pages: pagesOf(pages, place) }
    }),
})

async function explained<T>(place: Place, work: () => Promise<T>): Promise<T> {
  const begun = performance.now()
  try {
    return await work()
  } catch (cause) {
    throw queryError(cause, performance.now() - begun, place)
  }
}

/** Takes queries that each run in a process of their own, under the limits of `readOnly`. */
export function queryingInProcesses(place: {
  pipeline: string
  target: RememberedTarget
  limits: ReadLimits
}): Querying {
  const open = new Set<() => Promise<void>>()
  const query: Reader['query'] = async (sql, values = [], options = {}) => {
    const { columns, pages, close } = await queryInProcess({ ...place, sql, values, options })
    open.add(close)
    return { columns, pages }
  }
  const rows: Reader['rows'] = async (sql, values) => (await Array.fromAsync((await query(sql, values)).pages)).flat()
  return {
    reader: { query, rows },
    async [Symbol.asyncDispose]() {
      await Promise.all([...open].map((close) => close()))
    },
  }
}

async function* pagesOf(pages: AsyncIterable<RowObject[]>, place: Place): AsyncGenerator<RowObject[]> {
  const begun = performance.now()
  try {
    yield* pages
  } catch (cause) {
    throw queryError(cause, performance.now() - begun, place)
  }
}

/** Databases say in many ways that the time is over; that it is over, the clock tells. */
function queryError(cause: unknown, ms: number, { pipeline, limits }: Place): PipelineError {
  if (cause instanceof PipelineError) return cause
  const said = cause instanceof Error ? cause.message.trim() : String(cause)
  // Timers may ring a little early.
  if (limits !== undefined && ms > limits.timeoutMs - 50) {
    return new PipelineError(`the query took longer than ${limits.timeoutMs / 1000} seconds: ${said}`, {
      code: 'QUERY_TIMEOUT',
      fix: 'ask for less of it: fewer rows, a narrower WHERE',
      cause,
    })
  }
  if (/\bout of memory\b/i.test(said)) {
    const fix = 'select less: fewer columns and rows, a narrower WHERE, no lists of all rows'
    return new PipelineError(`the query needs too much memory: ${said}`, { code: 'QUERY_TOO_LARGE', fix, cause })
  }
  return new PipelineError(`the database refused the query: ${said}`, {
    code: 'QUERY_FAILED',
    fix: `correct the query; its tables and columns: sluice pipeline ${pipeline} show`,
    cause,
  })
}
