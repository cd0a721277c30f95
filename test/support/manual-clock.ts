import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../src/timers/index.ts'

/** A clock that stands still while something works, and goes on to the next sleeper when all of them wait. */
export class ManualClock implements Clock {
  private time = 0
  private sleepers: { until: number; wake(): void }[] = []

  now(): number {
    return this.time
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.sleepers.push({ until: this.time + ms, wake }))
  }

  /** Lets time pass until the work is done. */
  async passUntil<T>(work: Promise<T>): Promise<T> {
    let done = false
    const ended = work.finally(() => (done = true))
    ended.catch(() => undefined)
    for (;;) {
      await turn()
      if (done) return ended
      this.sleepers.sort((a, b) => a.until - b.until)
      const next = this.sleepers.shift()
      if (next === undefined) throw new Error('nobody sleeps, and the work is not done')
      this.time = Math.max(this.time, next.until)
      next.wake()
    }
  }
}
