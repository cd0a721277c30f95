/** Milliseconds of CPU that this thread spends on some work: other processes do not count, garbage collection on other threads neither. */
export function cpuMs(work: () => unknown): number {
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

/** The same, best of several. */
export const leastCpuMs = (times: number, work: () => unknown): number =>
  Math.min(...Array.from({ length: times }, () => cpuMs(work)))

/** What a clock of this machine cannot tell apart from nothing. */
const noiseMs = 4

/**
 * How many times longer the work takes for four times the text: about 4 when it is linear, 16 when it is quadratic. What is quick
 * on the longer text counts as linear. Measured again before it counts as worse.
 */
export function growth(textOf: (length: number) => string, work: (text: string) => unknown): number {
  const [short, long] = [textOf(20_000), textOf(80_000)]
  let least = Infinity
  for (let round = 0; round < 3 && least > 5; round++) {
    const shortMs = leastCpuMs(3, () => work(short))
    const longMs = cpuMs(() => work(long))
    least = Math.min(least, longMs / Math.max(shortMs, noiseMs))
    if (longMs > 1000) break
  }
  return least
}
