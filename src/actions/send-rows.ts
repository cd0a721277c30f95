import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { failpoint } from '../failpoints/index.ts'
import { attach, PipelineError, plainJson, redact, resource, source, type Pipeline } from '../index.ts'
import { lockFolder } from '../locks/index.ts'
import type { Action } from './action.ts'
import { Journal, type Outcome } from './journal.ts'

/** What happens while rows are sent. */
export type SendEvent =
  | { type: 'claimed'; rows: number }
  | { type: 'row'; key: string; outcome: Outcome }
  | { type: 'recovered'; sent: number; unknown: number }

export interface SendRowsOptions {
  /** At most so many rows. */
  limit?: number
  /** Rows that may have arrived are sent again, and those that were refused. */
  again?: readonly ('unknown' | 'refused')[]
  signal?: AbortSignal
  emit?(event: SendEvent): void
}

/** Rows by what became of them. */
export type SendCounts = Record<Outcome['status'], number>

/** Rows that are claimed, sent, and written down at once. */
const batchRows = 100
/** Claims of a machine that is gone stay for a person to look at; after this they can be asked for as unknown. */
const claimMs = 60 * 60_000

interface Claimed {
  key: string
  row: Record<string, unknown>
}

/** The messages that would be sent, without sending one. */
export async function previewRows(
  action: Action,
  { limit = 10 } = {},
): Promise<{ total: number; messages: unknown[] }> {
  const sending = new Sending(action, {})
  return sending.preview(limit)
}

/**
 * Sends a message for each row that has none yet. A row is claimed in the table of results before anything is sent, so that
 * another machine leaves it alone; noted on disk right before it is sent; and what became of it stands in the results. After a
 * crash, a row that may have arrived is `unknown`, and is not sent again unless a person asks for it, or the API knows
 * idempotency keys.
 */
export async function sendRows(action: Action, options: SendRowsOptions = {}): Promise<SendCounts> {
  return new Sending(action, options).run()
}

class Sending {
  private readonly action: Action
  private readonly options: SendRowsOptions
  private readonly of: Pipeline
  private readonly results: Pipeline
  private readonly signal: AbortSignal
  private readonly id = new Date().toISOString().replaceAll(/[-:.Z]/g, '')
  private readonly together = {}
  private readonly tried = new Set<string>()
  private readonly counts: SendCounts = { sent: 0, refused: 0, unknown: 0 }

  constructor(action: Action, options: SendRowsOptions) {
    this.action = action
    this.options = options
    const { pipeline: given } = action.options
    this.of = typeof given === 'string' ? attach(given) : given
    this.results = this.of.beside(`${action.name}_action`)
    this.signal = options.signal ?? new AbortController().signal
  }

  async preview(limit: number): Promise<{ total: number; messages: unknown[] }> {
    const rows = await this.pending(undefined)
    return { total: rows.length, messages: rows.slice(0, limit).map(({ key, row }) => this.messageOf(key, row)) }
  }

  async run(): Promise<SendCounts> {
    const { name } = this.action
    using _lock = lockFolder(
      join(this.results.dataDir, 'sending'),
      (pid) =>
        new PipelineError(`action "${name}" is being sent by another process (${pid})`, {
          code: 'PIPELINE_BUSY',
          recovery: 'retry',
          fix: 'wait until it has finished',
        }),
    )
    const journal = new Journal(join(this.results.dataDir, 'sending'))
    await this.recover(journal)
    journal.run(this.id)
    let left = this.options.limit ?? Infinity
    const again = this.againOf()
    while (left > 0 && !this.signal.aborted) {
      const claimed = await this.claim(Math.min(batchRows, left), again)
      if (claimed.length === 0) break
      left -= claimed.length
      for (const { key } of claimed) this.tried.add(key)
      this.options.emit?.({ type: 'claimed', rows: claimed.length })
      const failure = await this.sendAll(claimed, journal)
      // Asked to end, what was not sent yet is left for the next run.
      if (failure !== undefined && !this.signal.aborted) throw failure
    }
    journal.clear()
    return this.counts
  }

  private againOf(): readonly string[] {
    const { again = [] } = this.options
    return this.action.options.to.isIdempotent === true ? [...new Set([...again, 'unknown'])] : again
  }

  /** What a process before this one has left on this machine: its outcomes are written down, its claims given back. */
  private async recover(journal: Journal): Promise<void> {
    const { runs, rows } = journal.remains()
    if (runs.length === 0) return
    // Claims that were not committed were not acted on, and results stand in the journal.
    await this.results.sync()
    const cutOff: Outcome = { status: 'unknown', error: 'the process ended while it was sent' }
    const ended = [...rows].map(([key, { at, outcome }]) => this.resultRow(key, outcome ?? cutOff, at))
    const claimed = await this.claimsOf(runs)
    const released = claimed.filter((key) => !rows.has(key)).map((key) => this.resultRow(key, { status: 'released' }))
    // Not of this run, which has tried none of them.
    const recovered = [...ended, ...released].map((row) => ({ ...row, run: '' }))
    if (recovered.length > 0) await this.write(recovered)
    const withStatus = (wanted: string): number => ended.filter(({ status }) => status === wanted).length
    this.options.emit?.({ type: 'recovered', sent: withStatus('sent'), unknown: withStatus('unknown') })
    journal.clear()
  }

  /** Rows that are now this run's to send, on whatever machine others run. */
  private async claim(limit: number, again: readonly string[]): Promise<Claimed[]> {
    for (let attempt = 1; ; attempt++) {
      let claimed: Claimed[] = []
      const claims = resource(
        this.action.table,
        async ({ state }) => {
          // Another machine that claims at the same time is refused by the version of the state.
          claimed = await this.pending(limit, again)
          if (claimed.length > 0) state.claims = `${this.id} ${claimed[0]!.key}`
          return claimed.map(({ key }) => this.resultRow(key, { status: 'claimed' }))
        },
        { writeDisposition: 'merge', primaryKey: 'key', columns: resultColumns },
      )
      try {
        await this.results.run(source('actions', [claims]), { signal: this.signal })
        return claimed
      } catch (error) {
        const isMeanwhile = error instanceof PipelineError && error.code === 'PIPELINE_OVERTAKEN'
        if (!isMeanwhile || attempt >= claimAttempts) throw error
        await sleep(Math.random() * 200 * attempt, undefined, { signal: this.signal })
      }
    }
  }

  private async pending(limit: number | undefined, again: readonly string[] = []): Promise<Claimed[]> {
    const { rows: query, key } = this.action.options
    const sql = query.trim().replace(/;$/, '')
    await using session = await this.of.openSession()
    const { reader } = session
    const hasResults = (await reader.tables()).has(this.action.table)
    const open = ['released', ...again].map((status) => `'${status}'`)
    const stale = `CAST('${new Date(Date.now() - claimMs).toISOString()}' AS ${reader.momentType})`
    const name = (column: string): string => `_sluice_r.${reader.quote(column)}`
    const isOpen = [
      `${name('status')} IN (${open.join(', ')})`,
      ...(again.includes('unknown') ? [`(${name('status')} = 'claimed' AND ${name('at')} < ${stale})`] : []),
    ].join(' OR ')
    // The database writes the key, here and where it is looked for: its text of a moment is not that of this language.
    const keyText = `CAST(_sluice_q.${reader.quote(key)} AS ${reader.textType})`
    // What this run has tried is not tried again by it.
    const done = `SELECT 1 FROM ${reader.tableName(this.action.table)} AS _sluice_r
      WHERE ${name('key')} = ${keyText}
      AND (${name('run')} = '${this.id}' OR NOT (${isOpen}))`
    const where = hasResults ? ` WHERE NOT EXISTS (${done})` : ''
    const found = await reader.rows(
      `SELECT _sluice_q.*, ${keyText} AS ${reader.quote(keyColumn)} FROM (${sql}) AS _sluice_q${where}${limit === undefined ? '' : ` LIMIT ${limit}`}`,
    )
    const claimed = new Map<string, Record<string, unknown>>()
    for (const { [keyColumn]: text, ...row } of found) {
      if (text === null) throw noKey(this.action.name, key)
      const value = String(text)
      if (this.tried.has(value)) throw triedAlready(this.action, value)
      if (!claimed.has(value)) claimed.set(value, row)
    }
    return [...claimed].map(([value, row]) => ({ key: value, row }))
  }

  private async claimsOf(runs: readonly string[]): Promise<string[]> {
    const { table } = this.action
    if (!(await this.of.dataset().tables()).has(table)) return []
    const rows = await this.of
      .dataset()
      .table<{ key: string; run: string; status: string }>(table)
      .where('status', '=', 'claimed')
      .where('run', 'in', runs)
      .toArray()
    return rows.map(({ key }) => key)
  }

  /** Sends what was claimed; gives the error that stops the whole, if there is one. Everything else is a result. */
  private async sendAll(claimed: readonly Claimed[], journal: Journal): Promise<unknown> {
    const results: ResultRow[] = []
    const queue = [...claimed]
    let failure: unknown
    const line = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (this.signal.aborted || failure !== undefined) {
          results.push(this.released(next.key))
          continue
        }
        const outcome = await this.send(next, journal).catch((error: unknown) => {
          failure = error
          return undefined
        })
        if (outcome === undefined) results.push(this.released(next.key))
        else {
          this.counts[outcome.status] += 1
          results.push(this.resultRow(next.key, outcome))
          this.options.emit?.({ type: 'row', key: next.key, outcome })
        }
      }
    }
    await Promise.all(Array.from({ length: this.action.options.concurrency ?? 1 }, line))
    await this.write(results)
    journal.clear()
    journal.run(this.id)
    return failure
  }

  /** Throws what would happen to every other row, too. */
  private async send({ key, row }: Claimed, journal: Journal): Promise<Outcome> {
    const { to } = this.action.options
    const made = this.messageOf(key, row)
    journal.begin(key)
    const outcome = await this.outcomeOf(() =>
      to(made, { signal: this.signal, together: this.together, idempotencyKey: this.keyOf(key) }),
    )
    failpoint('send-answered')
    if ('stops' in outcome) {
      journal.end(key, { status: 'released' })
      throw outcome.stops
    }
    journal.end(key, outcome)
    return outcome
  }

  private async outcomeOf(send: () => Promise<unknown>): Promise<Outcome | { stops: unknown }> {
    try {
      const answer = await send()
      return { status: 'sent', ...(answer === undefined ? {} : { answer }) }
    } catch (error) {
      const status = ((error as { cause?: { status?: unknown } }).cause ?? {}).status
      // Keys and settings: every other row would meet the same.
      if (status === 401 || status === 403 || wasNotSent(error)) return { stops: error }
      const text = redact(error instanceof PipelineError ? error.summary : String((error as Error).message))
      const isRefused = typeof status === 'number' && status >= 400 && status < 500 && status !== 408
      return { status: isRefused ? 'refused' : 'unknown', error: text }
    }
  }

  /** A message that cannot be made is a mistake of the action, not of the row's receiver. */
  private messageOf(key: string, row: Record<string, unknown>): unknown {
    try {
      return this.action.options.message(row)
    } catch (cause) {
      throw new PipelineError(`action "${this.action.name}": no message for "${key}": ${(cause as Error).message}`, {
        code: 'WRONG_USE',
        fix: 'correct message(), or leave such rows out of the query; nothing was sent for this one',
        cause,
      })
    }
  }

  /** As if nobody had claimed it. */
  private released(key: string): ResultRow {
    return { ...this.resultRow(key, { status: 'released' }), run: '' }
  }

  private keyOf(key: string): string {
    return createHash('sha256')
      .update(JSON.stringify([this.action.name, key]))
      .digest('hex')
      .slice(0, 32)
  }

  private resultRow(
    key: string,
    { status, answer, error }: { status: ResultRow['status']; answer?: unknown; error?: string },
    at = new Date().toISOString(),
  ): ResultRow {
    return {
      key,
      status,
      at,
      run: this.id,
      idempotency_key: this.keyOf(key),
      answer: answer === undefined ? null : redact(plainJson(answer)),
      error: error ?? null,
    }
  }

  private async write(rows: readonly ResultRow[]): Promise<void> {
    // Also when the run was asked to end: what was sent has to be known.
    await this.results.run(
      source('actions', [
        resource(this.action.table, [...rows], {
          writeDisposition: 'merge',
          primaryKey: 'key',
          columns: resultColumns,
        }),
      ]),
    )
  }
}

interface ResultRow {
  key: string
  status: Outcome['status'] | 'claimed' | 'released'
  at: string
  run: string
  idempotency_key: string
  answer: string | null
  error: string | null
}

const resultColumns = {
  key: { dataType: 'text' },
  status: { dataType: 'text' },
  at: { dataType: 'timestamp' },
  run: { dataType: 'text' },
  idempotency_key: { dataType: 'text' },
  answer: { dataType: 'text' },
  error: { dataType: 'text' },
} as const

const claimAttempts = 10
const keyColumn = '_sluice_key'

/** A setting is wrong, or the run was asked to end while a message waited for its turn. */
const wasNotSent = (error: unknown): boolean =>
  error instanceof PipelineError &&
  ['CONFIG_MISSING', 'CONFIG_INVALID', 'WRONG_USE', 'SOURCE_INVALID', 'ABORTED'].includes(error.code)

const noKey = (name: string, key: string): PipelineError =>
  new PipelineError(`action "${name}": a row has no value in "${key}"`, {
    code: 'WRONG_USE',
    fix: 'let the query give each row a key of its own',
  })

/** Whatever the reason is: nothing is sent twice. */
const triedAlready = ({ name, table }: Action, key: string): PipelineError =>
  new PipelineError(`action "${name}": row "${key}" was sent, and ${table} does not show it`, {
    code: 'LOAD_FAILED',
    fix: `look at ${table}: nobody else may change it`,
  })
