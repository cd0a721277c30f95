import { PipelineError } from '../../../errors/index.ts'
import { systemClock, type Clock } from '../../../timers/index.ts'
import type { RateLimit } from '../spec.ts'
import { longestStatedWaitMs, waitText } from './longest-wait.ts'
import type { ServerLimit } from './rate-headers.ts'
import type { SharedBudget } from './shared-budget.ts'

/** A little more than the window: the server may see requests closer together than they were sent. */
const slackMs = 25
/** By so much of a window a request may have been on its way before the server saw it. */
const onTheWay = 0.1
/** Statements of one window may differ by so much: servers round. */
const sameWindowMs = 2000

interface Slot {
  at: number
}

export interface Caller {
  /** Whose turn it is; callers with requests waiting take turns. */
  resource: string
  signal: AbortSignal
  onWait(ms: number): void
}

/** Keeps a number of requests per window of time, and a number of requests in flight, for all users of a client. */
export class RateLimiter {
  private readonly limit: RateLimit | undefined
  private readonly concurrency: number
  /** When the server saw requests at the latest, as far as that is known. */
  private readonly sent: Slot[] = []
  private readonly waiting = new Map<string, (() => void)[]>()
  private inFlight = 0
  /** Nobody sends before this moment: the server asked for a pause. */
  private pausedUntil = 0
  /** What the server's headers said last. */
  private allowance: { left: number; until: number } | undefined
  /** Where other processes ask the same server: what all of them together may send. */
  private readonly shared: SharedBudget | undefined
  private readonly clock: Clock

  constructor(
    limit: RateLimit | undefined,
    concurrency: number,
    { shared, clock = systemClock }: { shared?: SharedBudget | undefined; clock?: Clock } = {},
  ) {
    this.limit = limit
    this.concurrency = concurrency
    this.shared = shared
    this.clock = clock
  }

  /** Runs `send` when there is room for it. */
  async run<T>(send: () => Promise<T>, caller: Caller): Promise<T> {
    if (this.inFlight >= this.concurrency) await this.queue(caller.resource)
    else this.inFlight += 1
    let slot: Slot | undefined
    try {
      slot = await this.takeSlot(caller)
      return await send()
    } finally {
      // The server counts from when it saw the request, which the answer bounds; one that works for long must not slow down the rest.
      if (slot !== undefined && this.limit !== undefined)
        slot.at = Math.min(this.clock.now(), slot.at + this.limit.perSeconds * 1000 * onTheWay)
      this.passOn()
    }
  }

  /** All requests wait, as after a 429. */
  pause(ms: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, this.clock.now() + ms)
    this.shared?.pause(ms)
  }

  /** Takes what an answer said about the server's limit; requests still under way are not counted there yet. */
  report({ remaining, resetMs }: ServerLimit): void {
    const now = this.clock.now()
    const until = now + resetMs
    const left = remaining - Math.max(0, this.inFlight - 1)
    const known = this.allowance
    const same = known !== undefined && now < known.until && Math.abs(known.until - until) < sameWindowMs
    this.allowance = same ? { left: Math.min(known.left, left), until: known.until } : { left, until }
  }

  private queue(resource: string): Promise<void> {
    return new Promise((resolve) => {
      const line = this.waiting.get(resource)
      if (line === undefined) this.waiting.set(resource, [resolve])
      else line.push(resolve)
    })
  }

  /** The place goes to the resource that has waited longest for its turn. */
  private passOn(): void {
    const [entry] = this.waiting
    if (entry === undefined) {
      this.inFlight -= 1
      return
    }
    const [resource, line] = entry
    const next = line.shift()!
    this.waiting.delete(resource)
    if (line.length > 0) this.waiting.set(resource, line)
    next()
  }

  private async takeSlot({ resource, signal, onWait }: Caller): Promise<Slot> {
    for (;;) {
      const now = this.clock.now()
      const statedMs = Math.max(this.pausedUntil - now, this.untilAllowed(now))
      if (statedMs > longestStatedWaitMs) throw usedUp(resource, statedMs)
      const ms = Math.max(statedMs, this.untilFree(now))
      if (ms <= 0) break
      if (ms >= 200) onWait(ms)
      await this.clock.sleep(ms, signal)
    }
    if (this.shared !== undefined && this.limit !== undefined) {
      const ms = await this.shared.take(this.limit)
      if (ms >= 200) onWait(ms)
      await this.clock.sleep(ms, signal)
    }
    const slot = { at: this.clock.now() }
    if (this.limit !== undefined) this.sent.push(slot)
    if (this.allowance !== undefined) this.allowance.left -= 1
    return slot
  }

  private untilFree(now: number): number {
    if (this.limit === undefined) return 0
    const windowMs = this.limit.perSeconds * 1000 + slackMs
    while (this.sent.length > 0 && this.sent[0]!.at <= now - windowMs) this.sent.shift()
    return this.sent.length < this.limit.requests ? 0 : this.sent[0]!.at + windowMs - now
  }

  private untilAllowed(now: number): number {
    const { allowance } = this
    if (allowance === undefined || allowance.left > 0) return 0
    if (now < allowance.until) return allowance.until - now + slackMs
    // The next answer tells what the new window allows.
    this.allowance = undefined
    return 0
  }
}

const usedUp = (resource: string, ms: number): PipelineError =>
  new PipelineError(`resource "${resource}": the API's limit is used up, and it asks to wait ${waitText(ms)}`, {
    code: 'HTTP_FAILED',
    recovery: 'retry',
    resource,
    fix: 'run again then, or ask the platform what has used the limit up',
  })
