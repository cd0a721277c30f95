import { randomFrom, seed } from './seed.ts'

/**
 * How much of a long test runs. By default a sample, another one in each run (`seed.ts`), so that nobody waits for an hour;
 * `SLUICE_TEST_EFFORT=whole` runs all of it, as the nightly workflow does.
 */
const isWhole = process.env.SLUICE_TEST_EFFORT === 'whole'

/** A number of runs, kills or rows. */
export const effort = (sample: number, whole: number): number => (isWhole ? whole : sample)

/** So many of the items, in their order; all of them in a whole run. `salt` keeps lists of one length from drawing alike. */
export function someOf<T>(items: readonly T[], count: number, salt = 0): T[] {
  if (isWhole) return [...items]
  const drawn = new Set(draw(items, count, salt))
  return items.filter((_, at) => drawn.has(at))
}

/** One in `n` of the items, all of them in a whole run. A list that is sorted by kind keeps every kind that has `n` items. */
export function oneIn<T>(n: number, items: readonly T[], salt = 0): T[] {
  return items.filter((_, at) => isWhole || (at + seed + salt) % n === 0)
}

/**
 * Items with the tags of their tests: `quick` of them, drawn anew in each run, run with `npm test`, the others are slow. With
 * `slow`, only so many of the others run, except in a whole run.
 */
export function tiered<T>(
  items: readonly T[],
  quick: number,
  salt = 0,
  slow = Infinity,
): [item: T, options: { tags: string[] }][] {
  const drawn = draw(items, isWhole ? items.length : quick + slow, salt)
  const isQuick = new Set(drawn.slice(0, quick))
  return drawn.sort((a, b) => a - b).map((at) => [items[at]!, { tags: isQuick.has(at) ? [] : ['slow'] }])
}

/** Positions of so many of the items. */
function draw(items: readonly unknown[], count: number, salt: number): number[] {
  const random = randomFrom(seed + salt)
  const drawn = items.map((_, at) => [random(), at] as const).sort(([a], [b]) => a - b)
  return drawn.slice(0, count).map(([, at]) => at)
}
