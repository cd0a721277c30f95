import { randomFrom, seed } from './seed.ts'

/**
 * How much of a long test runs. By default a sample, another one in each run (`seed.ts`), so that nobody waits for an hour;
 * `SLUICE_TEST_EFFORT=whole` runs all of it, as the nightly workflow does.
 */
const isWhole = process.env.SLUICE_TEST_EFFORT === 'whole'

/** A number of runs, kills or rows. */
export const effort = (sample: number, whole: number): number => (isWhole ? whole : sample)

/** So many of the items, in their order; all of them in a whole run. Without `salt`, lists of one length lose the same places. */
export function someOf<T>(items: readonly T[], count: number, salt = 0): T[] {
  if (isWhole || count >= items.length) return [...items]
  const random = randomFrom(seed + salt)
  const drawn = items.map((_, at) => [random(), at] as const).sort(([a], [b]) => a - b)
  const chosen = new Set(drawn.slice(0, count).map(([, at]) => at))
  return items.filter((_, at) => chosen.has(at))
}
