/**
 * Runs the queries of one read-only connection in a process of its own, so that a query that takes too long or too much
 * memory ends this process and not the one that asked. Started by `query-process.ts`.
 */
import { rmSync } from 'node:fs'
import type { ResultColumn, RowObject } from '../../destinations/index.ts'
import { PipelineError } from '../../errors/index.ts'
import { attach } from '../attach.ts'
import { readingFrom, type Reading } from '../reading.ts'
import { rowBytes } from '../row-bytes.ts'
import { largestProcessBytes, largestRowBytes, reusableProcessBytes, tooLarge } from './limits.ts'
import type { Message, QueryRequest, Reply, SentError } from './protocol.ts'

/** The query that runs: its connection and what is left of its rows. */
interface Running {
  session: Reading
  columns: readonly ResultColumn[]
  pages: AsyncIterator<RowObject[]>
}
let running: Running | undefined

const answers = {
  query: start,
  next: nextPage,
  close: async (): Promise<Reply> => {
    await close()
    return { type: 'closed' }
  },
}

async function start(request: QueryRequest): Promise<Reply> {
  const { pipeline, target, limits, sql, values, options } = request
  const opened = await attach(pipeline, { readOnly: limits, target }).openSession()
  const session = readingFrom(opened, { pipeline, limits })
  try {
    const { columns, pages } = await session.reader.query(sql, values, options)
    running = { session, columns, pages: pages[Symbol.asyncIterator]() }
    return { type: 'columns', columns }
  } catch (error) {
    await session[Symbol.asyncDispose]()
    throw error
  }
}

async function nextPage(): Promise<Reply> {
  const { pages, columns } = running!
  const { done, value } = await pages.next()
  if (done === true) return { type: 'end' }
  if (value.some((row) => rowBytes(row) > largestRowBytes)) throw tooLarge('a row', largestRowBytes)
  return { type: 'page', rows: value.map((row) => columns.map(({ name }) => row[name])) }
}

async function close(): Promise<void> {
  const { session, pages } = running ?? {}
  running = undefined
  await pages?.return?.()
  await session?.[Symbol.asyncDispose]()
}

function sent(error: unknown): SentError {
  const known = error instanceof PipelineError ? error : unexpected(error)
  const { summary, code, fix, recovery } = known
  return { summary, code, fix, recovery }
}

/** Secrets are removed by `PipelineError`: this process has read the settings, the one that asked may not have. */
const unexpected = (error: unknown): PipelineError =>
  new PipelineError(error instanceof Error ? error.message : String(error), {
    code: 'QUERY_FAILED',
    fix: 'check the settings of the destination: sluice doctor',
  })

const reply = (message: Reply): boolean => process.send!(message)

process.on('message', (message: Message) => {
  const answer = message.type === 'query' ? answers.query(message) : answers[message.type]()
  answer
    .catch((error: unknown): Reply => ({ type: 'error', error: sent(error) }))
    .then(reply)
    .then(() => message.type === 'close' && endIfLarge())
    .catch(() => process.exit(1))
})

function endIfLarge(): void {
  if (process.memoryUsage.rss() > reusableProcessBytes) process.disconnect()
}

/** Temporary files of this process. The parent removes the folder as well, unless it was killed. */
const folder = process.argv[2]!
process.on('disconnect', () => {
  rmSync(folder, { recursive: true, force: true })
  process.exit()
})

/** DuckDB and the driver hold rows outside of what their own limits count. */
setInterval(() => {
  if (process.memoryUsage.rss() < largestProcessBytes) return
  process.send!({ type: 'error', error: sent(tooLarge('the query', largestProcessBytes)) }, () => process.exit(1))
}, 25).unref()

reply({ type: 'ready' })
