import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

/** The longest delay of a Node timer, 24.8 days: a longer one overflows and fires after 1 ms. */
const longestTimerMs = 2 ** 31 - 1

/** The delay of a timer from data or settings; one that Node cannot hold becomes the longest that it can. */
export const timerMs = (ms: number): number => Math.min(Math.max(0, ms), longestTimerMs)

/** Waits for any length of time. */
export async function sleepFor(ms: number, signal?: AbortSignal): Promise<void> {
  const until = performance.now() + ms
  for (let left = ms; left > 0; left = until - performance.now()) {
    await sleep(timerMs(left), undefined, signal === undefined ? {} : { signal })
  }
}

/** What waits takes one, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  now(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = { now: () => performance.now(), sleep: sleepFor }

const turnMs = 50

/** Long work takes pauses, so that timeouts, signals and other connections have their turn meanwhile. */
export class Pauses {
  private since = performance.now()

  /** The work has gone on for long enough. */
  get isDue(): boolean {
    return performance.now() - this.since > turnMs
  }

  /** Gives others their turn, if it is due. */
  async take(): Promise<void> {
    if (!this.isDue) return
    await nextTurn()
    this.since = performance.now()
  }
}
