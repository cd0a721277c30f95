import { applyEdits, modify, parse, parseTree, type Node, type ParseError } from 'jsonc-parser'
import { PipelineError } from '../index.ts'

// JSON files that people write too. What is ours is put in between what is theirs, so that taking it out again leaves
// their text as it was, comments and layout included.

/** A property that is to be there, or an item of a list. */
export interface JsonPart {
  path: readonly string[]
  value: unknown
  /** The value is an item of the list at `path`. */
  isItem?: boolean
}

/** Text that was put in: where, and how much of it. */
export interface Insertion {
  at: number
  length: number
}

export interface Inserted {
  text: string
  insertions: Insertion[]
  /** Parts that stand there with another value. */
  taken: JsonPart[]
}

/** Puts in the parts that are missing. */
export function insertParts(file: string, text: string, parts: readonly JsonPart[]): Inserted {
  const result: Inserted = { text, insertions: [], taken: [] }
  for (const part of parts) {
    const root = readTree(file, result.text)
    const { node, missing } = deepest(root, part.path)
    if (missing.length > 0) {
      const value = part.isItem === true ? [part.value] : part.value
      const nested = missing.slice(1).reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)
      insert(result, propertyInsertion(expecting(file, part, node, 'object'), missing[0]!, nested, result.text))
    } else if (part.isItem === true) {
      const array = expecting(file, part, node, 'array')
      if (!items(array, result.text).some((one) => isSame(one, part.value)))
        insert(result, itemInsertion(array, part.value, result.text))
    } else if (!isSame(valueOf(node, result.text), part.value)) result.taken.push(part)
  }
  return result
}

/** Gives properties that stand there the value they are to have. */
export const replaceParts = (text: string, parts: readonly JsonPart[]): string =>
  parts.reduce((current, { path, value }) => applyEdits(current, modify(current, [...path], value, layout)), text)

/** Takes parts out, wherever they stand by now, and what was only there for them. */
export function removeParts(file: string, text: string, parts: readonly JsonPart[]): string {
  let current = text
  for (const { path, value, isItem } of parts) {
    const { node, missing } = deepest(readTree(file, current), path)
    if (missing.length > 0) continue
    const at = isItem === true ? items(node, current).findIndex((one) => isSame(one, value)) : undefined
    if (at === -1) continue
    current = applyEdits(current, modify(current, [...path, ...(at === undefined ? [] : [at])], undefined, layout))
    current = withoutEmpty(file, current, isItem === true ? path : path.slice(0, -1))
  }
  return current
}

function withoutEmpty(file: string, text: string, path: readonly string[]): string {
  if (path.length === 0) return text
  const { node, missing } = deepest(readTree(file, text), path)
  if (missing.length > 0 || (node.children ?? []).length > 0) return text
  const without = applyEdits(text, modify(text, [...path], undefined, layout))
  return withoutEmpty(file, without, path.slice(0, -1))
}

/** Nothing is left in it but brackets. */
export const isEmptyJson = (text: string): boolean => /^\s*(?:\{\s*\}\s*)?$/.test(text)

/** The text before the insertions were made. */
export const undone = (text: string, insertions: readonly Insertion[]): string =>
  insertions.reduceRight((current, { at, length }) => current.slice(0, at) + current.slice(at + length), text)

const layout = { formattingOptions: { tabSize: 2, insertSpaces: true } }

function readTree(file: string, text: string): Node {
  const errors: ParseError[] = []
  const tree = parseTree(text, errors, { allowTrailingComma: true })
  if (tree !== undefined && errors.length === 0 && tree.type === 'object') return tree
  throw new PipelineError(`${file} is not a JSON object`, {
    code: 'CONFIG_INVALID',
    fix: 'correct the file, then try again',
  })
}

/** How far a path exists, and what of it does not. */
function deepest(root: Node, path: readonly string[]): { node: Node; missing: readonly string[] } {
  let node = root
  for (const [at, key] of path.entries()) {
    const property = node.children?.find(({ type, children }) => type === 'property' && children?.[0]?.value === key)
    const value = property?.children?.[1]
    if (value === undefined) return { node, missing: path.slice(at) }
    node = value
  }
  return { node, missing: [] }
}

function expecting(file: string, { path }: JsonPart, node: Node, type: 'object' | 'array'): Node {
  if (node.type === type) return node
  throw new PipelineError(`${file}: ${path.join('.')} leads through what is no ${type}`, {
    code: 'CONFIG_INVALID',
    fix: 'correct the file, then try again',
  })
}

const items = ({ children = [] }: Node, text: string): unknown[] => children.map((one) => valueOf(one, text))
const valueOf = ({ offset, length }: Node, text: string): unknown => parse(text.slice(offset, offset + length))
const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

function propertyInsertion(object: Node, key: string, value: unknown, text: string) {
  return elementInsertion(object, `${JSON.stringify(key)}: ${JSON.stringify(value, null, 2)}`, text)
}

const itemInsertion = (array: Node, value: unknown, text: string) =>
  elementInsertion(array, JSON.stringify(value, null, 2), text)

/** Behind the last element, or as the only one. */
function elementInsertion(container: Node, element: string, text: string): { at: number; added: string } {
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n'
  const outer = indentAt(text, container.offset)
  const last = container.children?.at(-1)
  const indent = last === undefined ? `${outer}  ` : indentAt(text, last.offset)
  const laid = element.replaceAll('\n', `${lineEnd}${indent}`)
  if (last !== undefined) return { at: last.offset + last.length, added: `,${lineEnd}${indent}${laid}` }
  const inside = text.slice(container.offset + 1, container.offset + container.length - 1)
  const close = inside.includes('\n') ? '' : `${lineEnd}${outer}`
  return { at: container.offset + 1, added: `${lineEnd}${indent}${laid}${close}` }
}

/** The white space that the line of a position begins with. */
function indentAt(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1, at)
  return /^[ \t]*/.exec(line)![0]
}

function insert(result: Inserted, { at, added }: { at: number; added: string }): void {
  result.text = result.text.slice(0, at) + added + result.text.slice(at)
  result.insertions.push({ at, length: added.length })
}
