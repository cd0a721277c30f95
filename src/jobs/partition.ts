import { createHash } from 'node:crypto'
import { PipelineError } from '../index.ts'
import { durationMs, type Duration } from './duration.ts'

/** A part of what a job does: a work item of its own. */
export interface Partition {
  /** Always the same for the same part; what is loaded is remembered by it. */
  name: string
  /** Of a stretch of time: its start, and its end, which is not part of it. */
  start?: string
  end?: string
  /** Of a range of values: them. */
  values?: readonly (string | number)[]
  /** Of a part that is some resources of a source: their names. */
  resources?: readonly string[]
  /** Of a part that is loaded again and again: which time this is. */
  run?: string
}

/** Parts of a job, or what finds them when it is due. */
export type Partitions = readonly Partition[] | (() => readonly Partition[] | Promise<readonly Partition[]>)

const wrong = (message: string, fix: string): PipelineError =>
  new PipelineError(`partitions: ${message}`, { code: 'WRONG_USE', fix })

/**
 * Stretches of time, one after the other: `timeWindows({ start: '2025-01-01', end: '2025-02-01', every: '1d' })`. The last one
 * ends at `end`, which is now when it is not given: then only stretches that are over.
 */
export function timeWindows({ start, end, every }: { start: string; end?: string; every: Duration }): Partition[] {
  const stepMs = durationMs(every, 'every')
  const [from, to] = [Date.parse(start), end === undefined ? Date.now() : Date.parse(end)]
  if (Number.isNaN(from) || Number.isNaN(to))
    throw wrong(`"${Number.isNaN(from) ? start : end}" is no moment`, 'write it as 2025-01-31 or 2025-01-31T00:00:00Z')
  const windows: Partition[] = []
  for (let at = from; at < to; at += stepMs) {
    if (end === undefined && at + stepMs > to) break
    const [first, last] = [new Date(at).toISOString(), new Date(Math.min(at + stepMs, to)).toISOString()]
    windows.push({ name: windowName(first, last), start: first, end: last })
  }
  return windows
}

/** `2025-01-31` for a day, else `2025-01-31T06:00/2025-01-31T07:00`. */
export function windowName(start: string, end: string): string {
  const isDay = start.endsWith('T00:00:00.000Z') && Date.parse(end) - Date.parse(start) === 86_400_000
  if (isDay) return start.slice(0, 10)
  const short = (moment: string): string => moment.replace(/(:00)?\.000Z$/, '')
  return `${short(start)}/${short(end)}`
}

/**
 * Ranges of values, such as the ids of parents: `valueRanges(ids, 100)`. A range is called after what stands in it, so that
 * one with other values is another part.
 */
export function valueRanges(values: readonly (string | number)[], size: number): Partition[] {
  if (!Number.isInteger(size) || size < 1)
    throw wrong(`a range of ${size} values`, 'give a whole number: valueRanges(ids, 100)')
  const ranges: Partition[] = []
  for (let at = 0; at < values.length; at += size) {
    const part = values.slice(at, at + size)
    const id = createHash('sha256').update(JSON.stringify(part)).digest('hex').slice(0, 8)
    ranges.push({ name: `${part[0]}..${part.at(-1)} ${id}`, values: part })
  }
  return ranges
}

/** Each resource of a source by itself: `eachResource('orders', 'customers')`. */
export const eachResource = (...names: string[]): Partition[] => names.map((name) => ({ name, resources: [name] }))

/** The parts of a job, checked. */
export async function partitionsOf(given: Partitions): Promise<readonly Partition[]> {
  const parts = typeof given === 'function' ? await given() : given
  const names = new Set<string>()
  for (const { name } of parts) {
    if (typeof name !== 'string' || name.trim() === '')
      throw wrong('a part has no name', "give each a name: { name: '2025-01-31' }")
    if (names.has(name)) throw wrong(`two parts are called "${name}"`, 'name each by what it holds')
    names.add(name)
  }
  return parts
}
