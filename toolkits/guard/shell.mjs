// Reads a shell command as far as it can be read without running it. What it cannot know becomes a mark: a glob, an unset
// variable, the output of another command. It never throws: text that no shell accepts is read to its end.

import { longestValue, Work } from './work.mjs'

/** Any text, slashes included. */
export const any = '\uE000'
/** `*` and `?` (or a bracket expression) of a glob: text within one folder, and one character. */
export const star = '\uE001'
export const one = '\uE002'
const [open, comma, close] = ['\uE003', '\uE004', '\uE005']

export const hasMarks = (word) => /[\uE000-\uE005]/.test(word)

/**
 * The simple commands of a text: `{ words, redirects, bodies, assigned, isPiped, group }`. `isPiped` says that its output is read
 * by the next one, `bodies` are here-documents, `group` numbers pipelines. `nested` are texts that run as commands of their own;
 * `expanded` are the variables that are read.
 */
export function parseCommand(text, variables = new Map(), work = new Work()) {
  work.spend(text.length)
  const reader = new Reader(text, variables, work)
  reader.read()
  return { commands: reader.commands, nested: reader.nested, expanded: reader.expanded }
}

class Reader {
  at = 0
  commands = []
  nested = []
  expanded = []
  #text
  #variables
  #work
  #command
  #word
  /** Operator that the next word belongs to. */
  #redirect
  #hasQuotes = false
  #group = 0
  #documents = []

  constructor(text, variables, work) {
    this.#text = text
    this.#variables = variables
    this.#work = work
    this.#start()
  }

  read() {
    while (this.at < this.#text.length) this.#step(this.#text[this.at++])
    this.#endCommand('')
  }

  #step(letter) {
    if (letter === '\\') this.#escaped()
    else if (letter === "'") this.#add(this.#until("'"), true)
    else if (letter === '"') this.#quoted()
    else if (letter === '$') this.#dollar(false)
    else if (letter === '`') this.#backquoted()
    else if (letter === '#' && this.#word === undefined) this.at = this.#lineEnd()
    else if (letter === ' ' || letter === '\t' || letter === '\r') this.#endWord()
    else if ('\n;&|()'.includes(letter)) this.#operator(letter)
    else if (letter === '<' || letter === '>') this.#redirection(letter)
    else this.#add(this.#mark(letter))
  }

  #add(text, isQuoted = false) {
    this.#word = (this.#word ?? '') + text
    this.#hasQuotes ||= isQuoted
  }

  #escaped() {
    const next = this.#text[this.at++] ?? ''
    if (next !== '\n') this.#add(next, true)
  }

  #until(end) {
    const found = this.#text.indexOf(end, this.at)
    const stop = found < 0 ? this.#text.length : found
    const text = this.#text.slice(this.at, stop)
    this.at = stop + end.length
    return text
  }

  #lineEnd() {
    const found = this.#text.indexOf('\n', this.at)
    return found < 0 ? this.#text.length : found
  }

  #quoted() {
    this.#add('', true)
    while (this.at < this.#text.length) {
      const letter = this.#text[this.at++]
      if (letter === '"') return
      if (letter === '$') this.#dollar(true)
      else if (letter === '`') this.#backquoted()
      else if (letter === '\\') {
        const next = this.#text[this.at++] ?? ''
        if (next !== '\n') this.#add('"\\$`'.includes(next) ? next : `\\${next}`)
      } else this.#add(letter)
    }
  }

  #backquoted() {
    this.nested.push(this.#until('`'))
    this.#add(any)
  }

  #dollar(isQuoted) {
    const next = this.#text[this.at]
    const name = /^[A-Za-z_]\w*/.exec(this.#text.slice(this.at, this.at + 200))?.[0]
    if (next === "'" && !isQuoted) {
      this.at++
      this.#add(this.#ansi())
    } else if (next === '"' && !isQuoted) return
    else if (next === '(') {
      this.nested.push(this.#bracketed('(', ')'))
      this.#add(any)
    } else if (next === '{') this.#parameter(this.#bracketed('{', '}'), isQuoted)
    else if (name !== undefined) {
      this.at += name.length
      this.#variable(name, isQuoted)
    } else if (next !== undefined && /[0-9@*#?$!-]/.test(next)) {
      this.at++
      this.#add(any)
    } else this.#add('$')
  }

  /** `${name}`, or one with an operator, whose operand can be the name of a file. */
  #parameter(inner, isQuoted) {
    const [, indirect, name, operand] = /^([!#]?)(\w*)([^]*)$/.exec(inner) ?? []
    if (indirect === '' && operand === '') return this.#variable(name, isQuoted)
    // `${!list[@]}` are positions in a list.
    this.expanded.push(operand.startsWith('[') ? name : `${indirect}${name}`)
    this.nested.push(`cat ${operand.replace(/^[:=+?#%/^,@-]+/, '')}`)
    this.#add(any)
  }

  /** A value that is not quoted is split into words, and its globs count. */
  #variable(name, isQuoted) {
    this.expanded.push(name)
    const value = this.#variables.get(name)
    if (value === undefined || (this.#word?.length ?? 0) + value.length > longestValue) return this.#add(any)
    this.#work.spend(value.length)
    if (isQuoted) return this.#add(value)
    for (const letter of value) {
      if (/\s/.test(letter)) this.#endWord()
      else this.#add(letter === '*' ? star : letter === '?' ? one : letter)
    }
  }

  #ansi() {
    let end = this.at
    while (end < this.#text.length && this.#text[end] !== "'") end += this.#text[end] === '\\' ? 2 : 1
    const text = this.#text.slice(this.at, end)
    this.at = end + 1
    return text.replace(/\\(?:x([\da-f]{1,2})|u([\da-f]{1,4})|U([\da-f]{1,6})|([0-7]{1,3})|([^]))/gi, decoded)
  }

  /** What is between brackets, from the opening one on; brackets in single quotes and here-documents do not count. */
  #bracketed(opening, closing) {
    const from = ++this.at
    for (let depth = 1; this.at < this.#text.length; this.at++) {
      const letter = this.#text[this.at]
      if (letter === '\\') this.at++
      else if (letter === "'") {
        const end = this.#text.indexOf("'", this.at + 1)
        if (end > 0) this.at = end
      } else if (letter === '<') this.at = this.#afterDocument()
      else if (letter === opening) depth++
      else if (letter === closing && --depth === 0) break
    }
    return this.#text.slice(from, this.at++)
  }

  /** The end of a here-document that is announced here, else the same place. */
  #afterDocument() {
    const word = /^<<-?[ \t]*(["']?)([\w-]+)\1/.exec(this.#text.slice(this.at, this.at + 100))?.[2]
    const end = word === undefined ? -1 : this.#text.indexOf(`\n${word}`, this.at)
    return end < 0 ? this.at : end
  }

  #mark(letter) {
    if (letter === '*') return star
    if (letter === '?') return one
    if (letter === '{' && this.#text[this.at] !== ' ' && this.#text[this.at] !== '\n') return open
    if (letter === ',') return comma
    if (letter === '}' && this.#word !== undefined) return close
    if (letter === '~' && this.#startsPath()) return this.#tilde()
    if (letter !== '[') return letter
    const bracket = /^[!^]?\]?(?:\[:\w+:\]|[^\]\s])*\]/.exec(this.#text.slice(this.at, this.at + 100))?.[0]
    if (bracket === undefined) return letter
    this.at += bracket.length
    return one
  }

  #startsPath = () => this.#word === undefined || /[=:]$/.test(this.#word)

  #tilde() {
    const name = /^[\w.+-]*/.exec(this.#text.slice(this.at, this.at + 100))[0]
    this.at += name.length
    return name === '' ? (this.#variables.get('HOME') ?? any) : any
  }

  #operator(letter) {
    if (letter === '(' && /[\uE001\uE002+@!]$/.test(this.#word ?? '')) {
      this.at--
      this.#bracketed('(', ')')
      this.#word = this.#word.slice(0, -1) + any
      return
    }
    const isPipe = letter === '|' && this.#text[this.at] !== '|'
    if ((letter === '|' || letter === '&') && this.#text[this.at] === letter) this.at++
    else if (letter === '|' && this.#text[this.at] === '&') this.at++
    else if (letter === '&' && this.#text[this.at] === '>') return
    this.#endCommand(isPipe ? '|' : letter)
    if (letter === '\n') this.#readDocuments()
  }

  #redirection(letter) {
    // A number in front of it is no word.
    if (/^\d+$/.test(this.#word ?? '')) this.#word = undefined
    this.#endWord()
    if (this.#text[this.at] === '(') {
      this.nested.push(this.#bracketed('(', ')'))
      return this.#add(any)
    }
    const rest = /^(?:<<|<-|<|>\||>|&(?=\s*[\d-])|&)?/.exec(this.#text.slice(this.at, this.at + 3))[0]
    this.at += rest.length
    this.#redirect = letter + rest
  }

  /** Text that follows the line: here-documents, in the order in which they are announced. */
  #readDocuments() {
    for (const { command, end, isIndented, isExpanded } of this.#documents.splice(0)) {
      const lines = []
      while (this.at < this.#text.length) {
        const stop = this.#lineEnd()
        const line = this.#text.slice(this.at, stop)
        this.at = stop + 1
        if ((isIndented ? line.replace(/^\t+/, '') : line) === end) break
        lines.push(line)
      }
      const body = lines.join('\n')
      command.bodies.push(body)
      if (!isExpanded) continue
      const inner = parseCommand(`: "${body.replace(/"/g, '\\"')}"`, this.#variables, this.#work)
      this.nested.push(...inner.nested)
      this.expanded.push(...inner.expanded)
    }
  }

  #endWord() {
    const word = this.#word
    if (word === undefined) return
    this.#word = undefined
    const [operator, hasQuotes] = [this.#redirect, this.#hasQuotes]
    this.#redirect = undefined
    this.#hasQuotes = false
    if (operator === undefined) return this.#take(word)
    if (operator === '<<' || operator === '<<-') {
      this.#documents.push({
        command: this.#command,
        end: word,
        isIndented: operator === '<<-',
        isExpanded: !hasQuotes,
      })
    } else for (const target of braces(word)) this.#command.redirects.push({ operator, target })
  }

  #take(word) {
    const [, name, more, value] = /^([A-Za-z_]\w*)(\+?)=([^]*)$/.exec(word) ?? []
    if (name !== undefined) {
      this.#variables.set(name, more === '+' ? (this.#variables.get(name) ?? any) + value : value)
      if (this.#command.words.length === 0) return void this.#command.assigned.push([name, value])
    }
    this.#command.words.push(...braces(word).filter((one) => one !== '' || word === ''))
  }

  #start() {
    this.#command = { words: [], redirects: [], bodies: [], assigned: [], isPiped: false, group: this.#group }
  }

  #endCommand(operator) {
    this.#endWord()
    this.#command.isPiped = operator === '|'
    const last = this.#command.words.at(-1)
    if (last !== undefined) this.#variables.set('_', last)
    // Words are read in the folder that the command has come to.
    if (this.#command.words.some((word) => word === 'cd' || word === 'pushd')) this.#variables.set('PWD', '.')
    this.commands.push(this.#command)
    if (operator !== '|') this.#group++
    this.#start()
  }
}

function decoded(whole, hex, short, long, octal, letter) {
  const code = hex ?? short ?? long
  if (code !== undefined) return String.fromCodePoint(Math.min(Number.parseInt(code, 16), 0x10ffff))
  if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff)
  return { n: '\n', t: '\t', r: '\r', e: '\u001B' }[letter] ?? letter
}

/** Braces as the words they mean: `{a,b}c` is `ac` and `bc`; `{a..z}` can be any. At most 200 words. */
function braces(word, left = { words: 200 }) {
  const start = word.lastIndexOf(open)
  const end = word.indexOf(close, start)
  const plain = (text) => text.replaceAll(open, '{').replaceAll(comma, ',').replaceAll(close, '}')
  if (start < 0 || end < 0) return [plain(word)]
  const [before, inner, after] = [word.slice(0, start), word.slice(start + 1, end), word.slice(end + 1)]
  if (inner.includes('..') && !inner.includes(comma)) return braces(before + any + after, left)
  if (!inner.includes(comma)) return braces(`${before}{${inner}}${after}`, left)
  return inner.split(comma).flatMap((part) => (left.words-- > 0 ? braces(before + part + after, left) : [any]))
}

/** A glob of a tool, or of an option, with the same marks; `**` goes through folders. */
export const globWords = (glob) =>
  braces(
    glob
      .replace(/\*\*\/?/g, any)
      .replace(/\*/g, star)
      .replace(/\?|\[[^\]]+\]/g, one)
      .replaceAll('{', open)
      .replaceAll(',', comma)
      .replaceAll('}', close),
  )
