/**
 * How much of a long test runs. By default a sample, another one in each run (`seed.ts`), so that nobody waits for an hour;
 * `SLUICE_TEST_EFFORT=whole` runs all of it, as the nightly workflow does.
 */
const isWhole = process.env.SLUICE_TEST_EFFORT === 'whole'

/** A number of runs, kills or rows. */
export const effort = (sample: number, whole: number): number => (isWhole ? whole : sample)
