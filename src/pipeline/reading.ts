import { PipelineError } from '../errors/index.ts'
import type { DestinationSession, Reader, ReadLimits, RowObject } from '../destinations/index.ts'

/** A connection to read from. */
export interface Reading extends AsyncDisposable {
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
  const told = async <T>(work: () => Promise<T>): Promise<T> => {
    const begun = performance.now()
    try {
      return await work()
    } catch (cause) {
      throw queryError(cause, performance.now() - begun, place)
    }
  }
  return {
    reader: {
      ...reader,
      tables: () => told(() => reader.tables()),
      rows: (sql, values) => told(() => reader.rows(sql, values)),
      query: (sql, values) =>
        told(async () => {
          const { columns, pages } = await reader.query(sql, values)
          return { columns, pages: pagesOf(pages, place) }
        }),
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
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
  return new PipelineError(`the database refused the query: ${said}`, {
    code: 'QUERY_FAILED',
    fix: `correct the query; its tables and columns: sluice pipeline ${pipeline} show`,
    cause,
  })
}
