import type { ConformanceCase } from './bench.ts'
import { dispositions } from './dispositions.ts'
import { loads } from './loads.ts'
import { names } from './names.ts'
import { reading } from './reading.ts'
import { values } from './values.ts'

/** Everything that a destination must do right, whatever it is. */
export const conformanceCases = [
  ...dispositions,
  ...values,
  ...loads,
  ...names,
  ...reading,
] as const satisfies readonly ConformanceCase[]

export type ConformanceTitle = (typeof conformanceCases)[number]['title']
