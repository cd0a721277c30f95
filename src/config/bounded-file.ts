import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { PipelineError } from '../errors/index.ts'
import { parseYaml } from './parse-yaml.ts'

const mebibyte = 1024 * 1024

/** The most bytes that are read of a file, by its kind. A YAML parser takes seconds for each megabyte. */
export const mostBytes = { settings: mebibyte, yaml: 8 * mebibyte, json: 64 * mebibyte } as const

/**
 * The text of a file that a person wrote. Throws `LIMIT_EXCEEDED` for one that is larger than `most` bytes, `WRONG_USE` for a pipe, a
 * device or a folder, which may have no end, and what `node:fs` throws when the file cannot be read.
 */
export function readBounded(path: string, most: number): string {
  // A pipe that nobody writes to would be waited for when it is opened.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stat = fstatSync(file)
    if (!stat.isFile())
      throw new PipelineError(`${path} is not a file but a pipe, a device or a folder`, {
        code: 'WRONG_USE',
        fix: 'put a file there',
      })
    if (stat.size > most) throw fileTooLarge(path, stat.size, most)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/** The error for a file, or a text that is to become one, of more than `most` bytes: `LIMIT_EXCEEDED`. */
export const fileTooLarge = (path: string, bytes: number, most: number): PipelineError =>
  new PipelineError(`${path} is ${bytes.toLocaleString('en')} bytes; the limit is ${most.toLocaleString('en')} bytes`, {
    code: 'LIMIT_EXCEEDED',
    fix: 'check that it is the right file, or keep only what is needed of it',
  })

const deepest = 200
const mostValues = 2_000_000

/**
 * JSON or YAML that a person wrote. Throws an `Error` that says why for text that neither is, for values that nest deeper than 200
 * levels, as one that holds itself does, and for aliases that stand for more than two million values.
 */
export function parseDocument(text: string, kind: 'json' | 'yaml'): unknown {
  const document = kind === 'json' ? (JSON.parse(text) as unknown) : shallow(() => parseYaml(text))
  let values = 0
  const visit = (value: unknown, depth: number): void => {
    values += 1
    if (values > mostValues) throw new Error(`it stands for more than ${mostValues.toLocaleString('en')} values`)
    if (typeof value !== 'object' || value === null) return
    if (depth > deepest) throw tooDeep()
    for (const inner of Array.isArray(value) ? value : Object.values(value)) visit(inner, depth + 1)
  }
  visit(document, 0)
  return document
}

/** Whether values nest deeper than 200 levels. */
export const isTooDeep = (value: unknown, depth = 0): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (depth > deepest || Object.values(value).some((inner) => isTooDeep(inner, depth + 1)))

const tooDeep = (): Error => new Error(`it nests deeper than ${deepest} levels, or holds itself`)

/** Parsers that call themselves for each level run out of stack. */
function shallow<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw error instanceof Error && error.message.startsWith('Maximum call stack') ? tooDeep() : error
  }
}
