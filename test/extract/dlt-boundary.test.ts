import { expect, it } from 'vitest'
import { LoadedRows } from '../../src/extract/loaded-rows.ts'

/** Hashes that dlt 1.31 stores for rows at the boundary, without a key and with a composite one. */
it.each([
  [[], { id: 2, ts: 20, amount: 9 }, 'tulmM1wbj1I2'],
  [[], { c: 20, id: 7, n: { b: 1, a: 'é' }, l: [1] }, '5jqYINJ1vcP4'],
  [['id'], { c: 20, id: 7 }, '+ZB5qOrG8FH6'],
  [['id', 'b'], { c: 20, id: 7, b: 'x' }, 'ToL7f/+jNLbN'],
  [['b', 'id'], { c: 20, id: 7, b: 'x' }, 'A40XmgwDz/9C'],
])('boundary rows with the key %j have the hash of dlt', (keys, row, hash) => {
  const written = new LoadedRows('t', keys, { atBoundary: [], beyond: [], isLimited: false })
  written.restart(row)
  written.settle()
  expect(written.atBoundary).toEqual([hash])
  const read = new LoadedRows('t', keys, { atBoundary: [hash], beyond: [], isLimited: false })
  expect(read.wasAtBoundary(row)).toBe(true)
  read.add(row)
  read.settle()
  expect(read.boundaryGrew).toBe(false)
})
