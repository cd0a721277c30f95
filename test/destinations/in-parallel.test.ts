import { expect, it } from 'vitest'
import { inParallel } from '../../src/destinations/index.ts'

it('as many at once as may be, with the results in order', async () => {
  let [now, most] = [0, 0]
  const work = async (item: number): Promise<number> => {
    most = Math.max(most, ++now)
    await new Promise((resolve) => setImmediate(resolve))
    now -= 1
    return 10 * item
  }
  expect(await inParallel([1, 2, 3, 4, 5, 6, 7], work, 3)).toEqual([10, 20, 30, 40, 50, 60, 70])
  expect(most).toBe(3)
})

it('after a failure nothing more starts, and what has started ends before the failure is thrown', async () => {
  const ended: number[] = []
  const work = async (item: number): Promise<void> => {
    if (item === 1) throw new Error('the disk is full')
    await new Promise((resolve) => setImmediate(resolve))
    ended.push(item)
  }
  await expect(inParallel([1, 2, 3, 4, 5], work, 2)).rejects.toThrow('the disk is full')
  expect(ended).toEqual([2])
})
