import { PipelineError } from '../../errors/index.ts'
import { jsonPath, type JsonPath } from '../../extract/index.ts'
import { isAside, isUsualName } from './row-names.ts'

/** Takes the rows out of answers. */
export interface RowSelector {
  rows(body: unknown): unknown[]
  /** The value at the place of the rows; `undefined` when there is none. */
  at(body: unknown): unknown
  /** Where the rows are; for a search, what it has found. */
  readonly place: string
  /** The last answer had something there, if only an empty list. */
  readonly matched: boolean
}

/** By a path; one match that is a list is the list of rows, anything else is a row. */
export function pathSelector(path: string): RowSelector {
  const compiled: JsonPath = jsonPath(path)
  let matched = true
  const at = (body: unknown): unknown => {
    const found = compiled.all(body)
    return found.length > 1 ? found.flat() : found[0]
  }
  return {
    place: path,
    get matched() {
      return matched
    },
    at,
    rows(body) {
      const found = at(body)
      matched = found !== undefined
      return asRows(found)
    },
  }
}

function asRows(found: unknown): unknown[] {
  if (found === null || found === undefined) return []
  return Array.isArray(found) ? found : [found]
}

const searchDepth = 3

/** Finds the rows in the first answer and takes them from the same place in the others. */
export function detectingSelector(): RowSelector {
  let place: string[] | undefined
  let matched = true
  const at = (body: unknown): unknown => {
    if (Array.isArray(body) || typeof body !== 'object' || body === null) return body
    const path = place ?? findRows(body)
    return path.reduce<unknown>((current, key) => (current as Record<string, unknown> | null | undefined)?.[key], body)
  }
  return {
    get matched() {
      return matched
    },
    get place() {
      return place === undefined || place.length === 0 ? '$' : place.join('.')
    },
    at,
    rows(body) {
      if (typeof body === 'object' && body !== null && !Array.isArray(body)) place ??= findRows(body)
      const found = at(body)
      matched = found !== undefined
      return asRows(found)
    },
  }
}

interface Candidate {
  place: string[]
  list: unknown[]
}

/** The list that is most likely the rows: of objects, under a usual name, not deep down. `[]` is the answer itself. */
function findRows(body: object): string[] {
  const candidates = lists(body, [])
  const ofObjects = candidates.filter(({ list }) => list.length > 0 && typeof list[0] === 'object')
  const pool = ofObjects.length > 0 ? ofObjects : candidates.filter(({ list }) => list.length === 0)
  const named = pool.find(({ place }) => isUsualName(place.at(-1)!))
  const shallow = pool.toSorted((a, b) => a.place.length - b.place.length)
  const best = named ?? shallow[0]
  // An object with an id of its own is a row that happens to have lists.
  if (best !== undefined && named === undefined && 'id' in body) return []
  const rivals = shallow.filter(({ place }) => place.length === best?.place.length)
  if (named === undefined && rivals.length > 1 && best!.list.length > 0) throw ambiguous(rivals)
  return best?.place ?? []
}

function lists(value: object, place: string[]): Candidate[] {
  if (place.length >= searchDepth) return []
  return Object.entries(value).flatMap(([key, inner]): Candidate[] => {
    if (isAside(key)) return []
    if (Array.isArray(inner)) return [{ place: [...place, key], list: inner }]
    return typeof inner === 'object' && inner !== null ? lists(inner, [...place, key]) : []
  })
}

const ambiguous = (rivals: Candidate[]): PipelineError =>
  new PipelineError(`the answer has several lists: ${rivals.map(({ place }) => place.join('.')).join(', ')}`, {
    code: 'SOURCE_INVALID',
    fix: `say which one holds the rows: dataSelector: '${rivals[0]!.place.join('.')}'`,
  })
