import assert from 'node:assert/strict'
import type { ConformanceCase } from './bench.ts'
import { conformanceCases, type ConformanceTitle } from './cases.ts'

/** A promise that a destination does not keep yet, or never will, and why. */
export interface KnownGap {
  /** `never`: the database cannot; such a case is not run. */
  blame: 'ours' | 'upstream' | 'never'
  reason: string
}

/** By the case's title, so that a gap whose case is gone does not compile. */
export type KnownGaps = Partial<Record<ConformanceTitle, KnownGap>>

/** The suite for a destination with known gaps: a case that has one must fail, or the gap is closed and to be removed. */
export function casesWithGaps(gaps: KnownGaps): ConformanceCase[] {
  return conformanceCases
    .filter(({ title }) => gaps[title]?.blame !== 'never')
    .map(({ title, run }) => {
      const gap = gaps[title]
      if (gap === undefined) return { title, run }
      return {
        title: `${title} (known gap: ${gap.reason})`,
        async run(target) {
          const holds = await run(target).then(
            () => true,
            () => false,
          )
          assert.ok(!holds, `"${title}" holds now: remove its known gap`)
        },
      }
    })
}
