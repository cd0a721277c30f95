import { setTimeout as sleep } from 'node:timers/promises'
import type { RateLimit } from './spec.ts'

/** A little more than the window: the server may see requests closer together than they were sent. */
const slackMs = 25

/** Keeps a number of requests per window of time, and a number of requests in flight, for all users of a client. */
export class RateLimiter {
  private readonly limit: RateLimit | undefined
  private readonly concurrency: number
  private readonly sent: number[] = []
  private readonly waiting: (() => void)[] = []
  private inFlight = 0
  /** Nobody sends before this moment: the server asked for a pause. */
  private pausedUntil = 0

  constructor(limit: RateLimit | undefined, concurrency: number) {
    this.limit = limit
    this.concurrency = concurrency
  }

  /** Runs `send` when there is room for it. */
  async run<T>(send: () => Promise<T>, signal: AbortSignal, onWait: (ms: number) => void): Promise<T> {
    if (this.inFlight >= this.concurrency) await new Promise<void>((resolve) => this.waiting.push(resolve))
    else this.inFlight += 1
    try {
      await this.takeSlot(signal, onWait)
      return await send()
    } finally {
      const next = this.waiting.shift()
      if (next === undefined) this.inFlight -= 1
      else next()
    }
  }

  /** All requests wait, as after a 429. */
  pause(ms: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, performance.now() + ms)
  }

  private async takeSlot(signal: AbortSignal, onWait: (ms: number) => void): Promise<void> {
    for (;;) {
      const now = performance.now()
      const ms = Math.max(this.pausedUntil - now, this.untilFree(now))
      if (ms <= 0) break
      if (ms >= 200) onWait(ms)
      await sleep(ms, undefined, { signal })
    }
    if (this.limit !== undefined) this.sent.push(performance.now())
  }

  private untilFree(now: number): number {
    if (this.limit === undefined) return 0
    const windowMs = this.limit.perSeconds * 1000 + slackMs
    while (this.sent.length > 0 && this.sent[0]! <= now - windowMs) this.sent.shift()
    return this.sent.length < this.limit.requests ? 0 : this.sent[0]! + windowMs - now
  }
}
