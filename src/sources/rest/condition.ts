import { PipelineError } from '../../errors/index.ts'
import { jsonPath } from '../../extract/index.ts'

/** What conditions can look at. */
export interface ConditionScope {
  status: number
  /** The parsed answer. */
  body: unknown
  headers: Headers
  rows: readonly unknown[]
}

export type Condition = (scope: ConditionScope) => boolean
type Operand = (scope: ConditionScope) => unknown

const roots = ['status', 'body', 'headers', 'rows', 'last_row', 'first_row'] as const

const token =
  /\s*(?:(&&|\|\||[!=<>]=|[<>!()])|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(-?\d+(?:\.\d+)?)|([A-Za-z_$](?:\[[^\]]*\]|[^\s()!=<>&|[])*))/y

/**
 * Compiles a condition about an answer: `body.has_more == false`, `rows.length < 100`, `headers['x-more'] != 'yes'`,
 * `last_row.id <= 5 || status == 204`. Operands are `status`, `body`, `headers`, `rows`, `first_row` and `last_row` with
 * JSONPaths below them, numbers, texts, `true`, `false` and `null`; an operand alone asks whether it is there and not
 * empty, false or 0. Throws `SOURCE_INVALID`.
 */
export function condition(text: string): Condition {
  const parser = new Parser(text)
  const parsed = parser.either()
  parser.end()
  return parsed
}

/** Why a text is no condition; `undefined` for one that is. */
export function conditionProblem(text: string): string | undefined {
  try {
    condition(text)
    return undefined
  } catch (error) {
    return (error as PipelineError).message.split('\n')[0]
  }
}

class Parser {
  private readonly text: string
  private readonly tokens: string[] = []
  private at = 0

  constructor(text: string) {
    this.text = text
    let from = 0
    while (text.slice(from).trim() !== '') {
      token.lastIndex = from
      const match = token.exec(text)
      if (match === null) throw this.wrong(text.slice(from).trim())
      this.tokens.push((match[1] ?? match[2] ?? match[3] ?? match[4])!)
      from = token.lastIndex
    }
  }

  either(): Condition {
    const parts = [this.all()]
    while (this.take('||')) parts.push(this.all())
    return parts.length === 1 ? parts[0]! : (scope) => parts.some((part) => part(scope))
  }

  end(): void {
    if (this.at < this.tokens.length) throw this.wrong(this.tokens[this.at]!)
  }

  private all(): Condition {
    const parts = [this.single()]
    while (this.take('&&')) parts.push(this.single())
    return parts.length === 1 ? parts[0]! : (scope) => parts.every((part) => part(scope))
  }

  private single(): Condition {
    if (this.take('!')) {
      const inner = this.single()
      return (scope) => !inner(scope)
    }
    if (this.take('(')) {
      const inner = this.either()
      if (!this.take(')')) throw this.wrong(this.tokens[this.at] ?? 'its end')
      return inner
    }
    const left = this.operand()
    const operator = this.tokens[this.at]
    if (operator === undefined || !Object.hasOwn(comparisons, operator)) return (scope) => isThere(left(scope))
    this.at += 1
    const right = this.operand()
    const compare = comparisons[operator as keyof typeof comparisons]
    return (scope) => compare(left(scope), right(scope))
  }

  private operand(): Operand {
    const word = this.tokens[this.at++]
    if (word === undefined) throw this.wrong('its end')
    if (/^["']/.test(word)) return constant(word.slice(1, -1).replace(/\\(.)/g, '$1'))
    if (/^-?\d/.test(word)) return constant(Number(word))
    if (word === 'true' || word === 'false') return constant(word === 'true')
    if (word === 'null') return constant(null)
    return this.place(word)
  }

  private place(word: string): Operand {
    const [, root, rest] = /^\$?([A-Za-z_]+)(.*)$/.exec(word) ?? []
    if (root === undefined || !roots.includes(root as (typeof roots)[number])) throw this.wrong(word)
    if (root === 'status') return ({ status }) => status
    if (root === 'headers') {
      const name = /^(?:\.([\w-]+)|\[\s*["']([^"']+)["']\s*\])$/.exec(rest!)
      if (name === null) throw this.wrong(word)
      return ({ headers }) => headers.get((name[1] ?? name[2])!)
    }
    const [, below, length] = /^(.*?)(\.length)?$/.exec(rest!)!
    const path = jsonPath(`$${below!}`)
    const base: Operand = (scope) => {
      if (root === 'body') return scope.body
      if (root === 'rows') return scope.rows
      return scope.rows.at(root === 'first_row' ? 0 : -1)
    }
    const value: Operand = (scope) => path.first(base(scope))
    return length === undefined ? value : (scope) => lengthOf(value(scope))
  }

  private take(word: string): boolean {
    if (this.tokens[this.at] !== word) return false
    this.at += 1
    return true
  }

  private wrong(what: string): PipelineError {
    return new PipelineError(`"${this.text}" is not a condition: unexpected ${JSON.stringify(what.slice(0, 20))}`, {
      code: 'SOURCE_INVALID',
      fix: `compare ${roots.join(', ')} with values, as in body.has_more == false or rows.length < 100`,
    })
  }
}

const constant =
  (value: unknown): Operand =>
  () =>
    value

const lengthOf = (value: unknown): number =>
  typeof value === 'string' || Array.isArray(value) ? value.length : value === undefined || value === null ? 0 : 1

const isThere = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== false && value !== '' && value !== 0 && lengthOf(value) > 0

/** Numbers in texts count as numbers; nothing and null are the same. */
function equal(left: unknown, right: unknown): boolean {
  if ((left ?? null) === null || (right ?? null) === null) return (left ?? null) === (right ?? null)
  if (typeof left === typeof right) return left === right
  return String(left) === String(right)
}

const order =
  (test: (difference: number) => boolean) =>
  (left: unknown, right: unknown): boolean => {
    const [a, b] = [Number(left), Number(right)]
    if (left === undefined || left === null || right === undefined || right === null) return false
    if (!Number.isNaN(a) && !Number.isNaN(b)) return test(a - b)
    return test(String(left) < String(right) ? -1 : String(left) === String(right) ? 0 : 1)
  }

const comparisons = {
  '==': equal,
  '!=': (left: unknown, right: unknown): boolean => !equal(left, right),
  '<': order((difference) => difference < 0),
  '<=': order((difference) => difference <= 0),
  '>': order((difference) => difference > 0),
  '>=': order((difference) => difference >= 0),
}
