import fc from 'fast-check'

/**
 * The seed of this test run. `vitest.config.ts` draws one for all files and the reporter prints it after a failure;
 * `SLUICE_TEST_SEED=<seed>` repeats a run.
 */
export const seed = Number(process.env.SLUICE_TEST_SEED ?? Date.now() % 1_000_000)

fc.configureGlobal({ seed })

/** Import fast-check from here, so that its seed is the one of the run. */
export { fc }

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomFrom(start: number = seed): () => number {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
