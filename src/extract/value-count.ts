import { PipelineError } from '../errors/index.ts'

/**
 * Values of one document: each list, object, string, number and word is one. Ten million are more than a page of rows has; empty
 * objects take twenty times their text in memory.
 */
export const mostValues = 10_000_000

/** Counts the values of a document that is parsed in pieces, exactly only when an estimate comes near the limit. */
export class ValueCount {
  private estimate = 0
  private exact: number | undefined

  /** Adds a piece before it is put into its container; `open` are the containers that have not ended. Throws `LIMIT_EXCEEDED`. */
  add(json: string, value: unknown, open: readonly object[]): void {
    if (this.exact === undefined) {
      this.estimate += estimated(json)
      if (this.estimate < mostValues / 2) return
      this.exact = open.reduce((sum, container) => sum + countValues(container), 0)
    }
    this.exact += countValues(value)
    if (this.exact > mostValues) throw tooManyValues()
  }
}

const samples = 64
const sampleLength = 64

/** Commas and opening brackets, from samples at random places, which the sender cannot foresee. */
function estimated(json: string): number {
  let marks = 0
  for (let sample = 0; sample < samples; sample++) {
    const from = Math.floor(Math.random() * Math.max(0, json.length - sampleLength))
    for (let at = from; at < from + sampleLength; at++) {
      const code = json.charCodeAt(at)
      if (code === 44 || code === 91 || code === 123) marks += 1
    }
  }
  return (marks / (samples * sampleLength)) * json.length
}

function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  let count = 0
  const open: object[] = [value]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    count += 1
    const list = Array.isArray(next) ? (next as unknown[]) : Object.values(next)
    for (const inner of list) {
      if (typeof inner === 'object' && inner !== null) open.push(inner)
      else count += 1
    }
  }
  return count
}

const tooManyValues = (): PipelineError =>
  new PipelineError(`a JSON document has more than ${mostValues.toLocaleString('en')} values`, {
    code: 'LIMIT_EXCEEDED',
    fix: 'ask for smaller pages, or for CSV or JSON lines, which are read row by row',
  })
