import { it } from 'vitest'
import { inputs } from './input-list.ts'

export type InputNumber = keyof typeof inputs

/** Large ones: seconds of processor time each. */
const heavy: ReadonlySet<InputNumber> = new Set([9, 24, 25, 26])

/** A test of one of them, titled by what goes in and what comes of it. */
export function badInput(number: InputNumber, run: () => Promise<void>, timeout = 60_000): void {
  const [input, result] = inputs[number]
  it(`${number}. ${input}: ${result}`, { timeout, tags: heavy.has(number) ? ['slow'] : [] }, run)
}
