/** Pages of one that may be waiting for their turn; more are read when the turn has come. */
const pagesWaiting = 4

/**
 * Reads several series of pages at once; their pages come series after series, in the order of the keys. What waits is
 * bounded: a series that is far ahead of its turn stops until it comes. `taken`: all pages of a series have been.
 */
export async function* readAhead<K>(
  keys: AsyncIterable<K>,
  read: (key: K) => AsyncIterable<unknown[]>,
  { concurrency, taken }: { concurrency: number; taken?: (key: K) => void },
): AsyncGenerator<{ key: K; page: unknown[] }> {
  const source = keys[Symbol.asyncIterator]()
  const running: { key: K; lane: Lane }[] = []
  let ended = false
  const fill = async (): Promise<void> => {
    while (!ended && running.length < concurrency) {
      const next = await source.next()
      if (next.done === true) ended = true
      else running.push({ key: next.value, lane: new Lane(read(next.value)) })
    }
  }
  try {
    for (await fill(); running.length > 0; await fill()) {
      const { key, lane } = running[0]!
      for await (const page of lane.pages()) yield { key, page }
      taken?.(key)
      running.shift()
    }
  } finally {
    for (const { lane } of running) lane.stop()
  }
}

/** One series, read before it is wanted. */
class Lane {
  private readonly waiting: unknown[][] = []
  private ended = false
  private failure: { error: unknown } | undefined
  private stopped = false
  private isTurn = false
  private wakeReader: (() => void) | undefined
  private wakeWriter: (() => void) | undefined

  constructor(pages: AsyncIterable<unknown[]>) {
    void this.fill(pages)
  }

  async *pages(): AsyncGenerator<unknown[]> {
    this.isTurn = true
    for (;;) {
      this.wakeWriter?.()
      const page = this.waiting.shift()
      if (page !== undefined) {
        yield page
      } else if (this.failure !== undefined) {
        throw this.failure.error
      } else if (this.ended) {
        return
      } else {
        await new Promise<void>((resolve) => (this.wakeReader = resolve))
      }
    }
  }

  stop(): void {
    this.stopped = true
    this.wakeWriter?.()
  }

  private async fill(pages: AsyncIterable<unknown[]>): Promise<void> {
    try {
      for await (const page of pages) {
        if (this.stopped) return
        this.waiting.push(page)
        this.wakeReader?.()
        // In its turn one page waits while another is used, as without reading ahead.
        while (!this.stopped && this.waiting.length >= (this.isTurn ? 1 : pagesWaiting)) {
          await new Promise<void>((resolve) => (this.wakeWriter = resolve))
        }
      }
    } catch (error) {
      this.failure = { error }
    } finally {
      this.ended = true
      this.wakeReader?.()
    }
  }
}
