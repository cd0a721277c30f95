import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'

/** The sequences of the whole lines of a file. */
export interface SegmentSpan {
  path: string
  lowest: number
  highest: number
  /** Its first and its last line are as they were written. */
  isWhole: boolean
}

const blockBytes = 64 * 1024
const lineEnd = 10
/** Longer than the head of a line up to its sequence. */
const headBytes = 48

/** Reads the ends of a file alone: its one writer counts up from line to line. `undefined` where there is no whole line. */
export function segmentSpan(path: string): SegmentSpan | undefined {
  const file = openSync(path, 'r')
  try {
    const end = lineEndBefore(file, fstatSync(file).size)
    if (end < 0) return undefined
    const first = sequenceAt(file, 0)
    const last = sequenceAt(file, lineEndBefore(file, end) + 1)
    if (first !== undefined && last !== undefined) return { path, lowest: first, highest: last, isWhole: true }
    const all = [...readFileSync(path, 'latin1').matchAll(/^\{"sequence":(\d+),/gm)].map(([, one]) => Number(one))
    const [lowest = 0, highest = 0] = [all[0], all.at(-1)]
    return { path, lowest, highest, isWhole: false }
  } finally {
    closeSync(file)
  }
}

/** Position of the last line end in front of a position, or -1. */
function lineEndBefore(file: number, position: number): number {
  const block = Buffer.alloc(blockBytes)
  for (let to = position; to > 0;) {
    const from = Math.max(0, to - blockBytes)
    const read = readSync(file, block, 0, to - from, from)
    const at = block.subarray(0, read).lastIndexOf(lineEnd)
    if (at >= 0) return from + at
    to = from
  }
  return -1
}

function sequenceAt(file: number, position: number): number | undefined {
  const head = Buffer.alloc(headBytes)
  const text = head.toString('latin1', 0, readSync(file, head, 0, headBytes, position))
  const [, sequence] = /^\{"sequence":(\d+),/.exec(text) ?? []
  return sequence === undefined ? undefined : Number(sequence)
}
