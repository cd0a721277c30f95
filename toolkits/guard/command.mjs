// Why a shell command must not be run.
import { posix } from 'node:path'
import { any, globWords, hasMarks, parseCommand } from './shell.mjs'
import { folderNames, holdsGuard, holdsSecrets, isNameOfGuard, isNameOfSecret, kindOf, kindOfWord } from './places.mjs'
import { refusedSluice } from './sluice.mjs'
import { decided } from './work.mjs'
import * as programs from './programs.mjs'
import { codeShowsEnvironment, isSecretVariable, readsVariable, runsPrinted, showsEnvironment } from './environment.mjs'

const why = {
  secret: 'the command reads a file of secrets',
  'secrets folder': 'the command takes in a folder of secrets',
  guard: 'the command changes a guard, which only a person does',
  'guard folder': 'the command changes a folder of guards, which only a person does',
  environment: 'the command shows the environment',
  variable: 'the command names a variable that holds a secret',
}

/** Why not, in words; `undefined` for a command that may run. */
export const refusedCommand = (text, places) => decided(places, (asked) => refusedText(text, asked))

function refusedText(text, places, { depth = 0, isNested = false, hasDots = false } = {}) {
  if (depth > 8) return 'the command is nested too deep to be read'
  const variables = new Map([
    ['HOME', places.home],
    ['PWD', places.folder],
    ['CLAUDE_PROJECT_DIR', places.root],
  ])
  const { commands, nested, expanded } = parseCommand(text, variables, places.work)
  if (expanded.some((name) => name.startsWith('!') || isSecretVariable(name))) return why.variable
  if (runsPrinted(commands, nested)) return why.environment
  const withDots = hasDots || /\b(dotglob|GLOB_DOTS|globdots|GLOBIGNORE)\b|\*\(\w*D\w*\)/i.test(text)
  const readers = readersOf(commands)
  let here = places
  for (const [at, command] of commands.entries()) {
    const { isFeeding, isTyped, isGlance } = readers[at]
    const context = { places: here, depth, withDots, isFeeding: isNested || isFeeding, isTyped, isGlance }
    places.work.spend(100)
    const reason = refusedSimple(command, context)
    if (reason !== undefined) return reason
    here = folderAfter(command, here)
  }
  // They may run before or after a `cd`.
  for (const inner of new Set(nested)) {
    const reason = [...new Set([places, here])]
      .map((one) => refusedText(inner, one, { depth: depth + 1, isNested: true, hasDots: withDots }))
      .find((one) => one !== undefined)
    if (reason !== undefined) return reason
  }
  return undefined
}

/**
 * For each command, whether one after it in its pipeline takes names of files from it, or runs what it prints; and whether all
 * that follow only show files that they name.
 */
function readersOf(commands) {
  const found = []
  let after = { isFeeding: false, isTyped: false, isGlance: true }
  for (const { words, isPiped, assigned } of commands.toReversed()) {
    if (!isPiped) after = { isFeeding: false, isTyped: false, isGlance: after.isGlance }
    found.push(after)
    const program = programs.programOf(words)
    const isShell = programs.isShell(program)
    after = {
      isFeeding: after.isFeeding || isShell || takesNames(program, words),
      isTyped: after.isTyped || isShell,
      isGlance: after.isGlance && assigned.length === 0 && programs.isGlance(program),
    }
  }
  return found.toReversed()
}

const takesNames = ({ name, isFed }, words) =>
  isFed || /^(while|read|for)$/.test(words[0] ?? '') || /^(tar|cpio|rsync|zip|pax)$/.test(name)

function folderAfter({ words }, places) {
  const { name, rest } = programs.programOf(words)
  const target = rest.find((word) => !word.startsWith('-'))
  if (!/^(cd|pushd)$/.test(name) || target === undefined || hasMarks(target)) return places
  return { ...places, folder: posix.resolve(places.folder, target.replace(/^~(?=\/|$)/, places.home)) }
}

function refusedSimple(command, context) {
  const program = programs.programOf(command.words)
  if (showsEnvironment(program)) return why.environment
  if (readsVariable(command)) return why.variable
  return (
    refusedRedirect(command, context) ??
    refusedInner(program, command, context) ??
    refusedWords(program, command, context) ??
    refusedAll(program, context) ??
    refusedSluice(program)
  )
}

function refusedRedirect({ redirects }, { places, withDots }) {
  for (const { operator, target } of redirects) {
    if (operator === '<<<') {
      if (namesSecrets(target) || kindOfWord(target, places, withDots) === 'secret') return why.secret
    } else {
      const kind = kindOfWord(target, places, withDots)
      if (kind === 'secret' || kind === 'secrets folder') return why[kind]
      if (kind !== undefined && operator !== '<') return why[kind]
    }
  }
  return undefined
}

/** What a program is given to run: a command of its own, words of one, or the text of another program. */
function refusedInner(program, command, context) {
  const { places, depth, isTyped, withDots } = context
  const { name, rest } = program
  // What programs other than shells are given may be a command too; more often it is none.
  const inside = isRunner(program) ? places : { ...places, isGuess: true }
  const again = (text) => refusedText(text, inside, { depth: depth + 1, hasDots: withDots })
  if (name === 'eval' || (isTyped && /^(echo|printf)$/.test(name))) return again(rest.join(' '))
  if (name === 'trap') return again(rest[0] ?? '')
  const reason = refusedByFind(program, command, context)
  if (reason !== undefined) return reason
  const isCode = programs.isInterpreter(program)
  for (const text of textsOf(program, command, context)) {
    const inner = refusedCode(text, program, places) ?? (isCode ? undefined : again(text))
    if (inner !== undefined) return inner
  }
  return undefined
}

const isRunner = (program) => programs.isShell(program) || program.name === 'eval' || hasMarks(program.name)

/** `find … -exec cat {} +` */
function refusedByFind({ name, rest }, command, { places, depth }) {
  const at = rest.findIndex((word) => /^-(exec|execdir|ok|okdir|x|X|-exec|-exec-batch)$/.test(word))
  if (!/^(find|fd)$/.test(name) || at < 0) return undefined
  const words = rest.slice(at + 1)
  // A shell is given its own words, which are read as texts.
  if (programs.isShell(programs.programOf(words))) return undefined
  return refusedSimple({ ...command, words, redirects: [], bodies: [] }, { places, depth })
}

/** Words that are more than a name, here-documents, and what a shell is given by `<<<`. */
function textsOf(program, command, { isFeeding }) {
  const { name, rest } = program
  const prose = programs.proseOf(program, command, isFeeding)
  const isWhole = hasMarks(name) || (isRunner(program) && rest.some((word) => /^-\w*c$/.test(word)))
  const text = programs.isInterpreter(program) ? /[\s()'"`;]/ : /\s/
  const isSaved = /^(cat|tee|git|gh)$/.test(name) && !command.isPiped
  return [
    ...rest.filter((word) => (isWhole || text.test(word)) && !prose.has(word)),
    ...(isSaved ? [] : command.bodies),
    ...command.redirects.filter(({ operator }) => operator === '<<<' && isRunner(program)).map(({ target }) => target),
  ]
}

function refusedCode(text, program, places) {
  const isCode = programs.isInterpreter(program)
  if (isCode && codeShowsEnvironment(text)) return why.environment
  if (!programs.isShell(program) && namesSecrets(text)) return why.secret
  if (stringsOf(text).some((path) => namesSecret(path, { isCode, places }))) return why.secret
  return isCode && !programs.isReader(program) && namesGuard(text) ? why.guard : undefined
}

const folders = folderNames.map((name) => name.replace(/[^\w]/g, '\\$&')).join('|')
const namedFolder = new RegExp(`(^|[^\\w.-])(${folders})(?![\\w-])`, 'i')
const namesSecrets = (text) => /secrets\.toml|allowed-hosts\.json|\/environ\b/i.test(text) || namedFolder.test(text)
const stringsOf = (code) => [...code.matchAll(/(["'`])([^"'`\s]{1,500})\1/g)].map(([, , path]) => path)
const namesSecret = (path, { isCode, places }) =>
  (isCode || /[*?[]/.test(path)) && globWords(path).some((word) => kindOfWord(word, places) === 'secret')
const namesGuard = (text) =>
  /guard\.mjs|\.mcp\.json|\.(claude|cursor|codex)\/|\.github\/hooks/i.test(text) ||
  (/["'`]\.(claude|cursor|codex|github|vscode)["'`]/i.test(text) &&
    /(rm|rename|move|remove|replace|unlink)\w*\s*\(/i.test(text))

/** Words that are paths, or hold one behind `=`, `@` or `:`. */
function refusedWords(program, command, context) {
  const prose = programs.proseOf(program, command, context.isFeeding)
  const keptOut = new Set(programs.exclusionsOf(program).map(({ word }) => word))
  for (const word of new Set([...programs.withoutKeywords(command.words), ...program.rest])) {
    // A program is found by its name alone, wherever the command runs.
    if (word === program.name && !hasMarks(word)) continue
    if (prose.has(word) || keptOut.has(word) || /\s/.test(word)) continue
    for (const path of new Set([word, ...word.split(/[=@:,]/)])) {
      const reason = refusedWord(path, program, context)
      if (reason !== undefined) return reason
    }
  }
  return refusedTarget(program, context)
}

function refusedWord(path, program, { places, withDots, isFeeding, isGlance }) {
  if (path === '' || (path.length > 4096 && !hasMarks(path))) return undefined
  if (withDots && /^[\uE000-\uE002./]*[\uE001][\uE000-\uE002./]*$/.test(path) && !programs.isLister(program))
    return why['secrets folder']
  const kind = kindOfWord(path, places, withDots || isPatternOf(program))
  if (kind === undefined)
    return /secrets\.toml/i.test(path) && !hasMarks(path) && !isAskedAbout(program) ? why.secret : undefined
  // After `cd .sluice`, a name is the name of a secret; only what shows files by names that are known can be read.
  const isEntered = /^(cd|pushd)$/.test(program.name) && (!isGlance || hasMarks(path))
  const isListed = programs.isLister(program) && !isFeeding && !isEntered
  if (kind === 'secret')
    return (isListed && !isPlainSecret(path, program)) || isAskedAbout(program) ? undefined : why[kind]
  if (kind === 'secrets folder')
    return isListed || isKept(program) || isQuietFind(program, isFeeding) ? undefined : why[kind]
  if (kind === 'guard folder') return isDestroyer(program) ? why[kind] : undefined
  return programs.isReader(program) ? undefined : why[kind]
}

/** Patterns that a program itself reads: `*` there takes in names that begin with a dot. */
const isPatternOf = ({ name }) => /^(find|fd|rg|rsync|tar|git|zip)$/.test(name)
/** `ls .sluice/*` is about the folder; `wc .sluice/secrets.toml` is about secrets. */
const isPlainSecret = (path, { name }) => !hasMarks(path) && !/^(ls|stat|test|\[|\[\[)$/.test(name)
const isAskedAbout = ({ name, rest }) =>
  name === 'git' && /^(check-ignore|ls-files|status)$/.test(programs.gitAction(rest))
const destroyers = /^(rm|mv|ln|chmod|chown|truncate|shred|rsync|unlink|rmdir)$/
const isDestroyer = ({ name, rest }) =>
  destroyers.test(name) ||
  (name === 'unzip' && rest.includes('-d')) ||
  (/^(bsd)?tar$/.test(name) &&
    rest.some((word, at) => (at === 0 ? /^-?\w*x/ : /^(-\w*x|--extract|--get)/).test(word))) ||
  (name === 'git' && /^(rm|mv|checkout|restore|clean)$/.test(programs.gitAction(rest)))
/** `git add .sluice` leaves out what is ignored. */
const isKept = ({ name, rest }) =>
  name === 'git' &&
  /^(add|status|diff|log|check-ignore|ls-files|commit)$/.test(programs.gitAction(rest)) &&
  !rest.some((word) => /^(-\w*f|--force|--no-index|-C)/.test(word))
const isQuietFind = ({ name, rest }, isFeeding) => name === 'find' && !isFeeding && programs.isReader({ name, rest })

/** `cp settings.json .claude/`: the file that comes to be there. */
function refusedTarget({ name, rest }, { places }) {
  if (!/^(cp|mv|install|ln|rsync)$/.test(name)) return undefined
  const at = rest.findIndex((word) => /^(-\w*t|--target-directory)$/.test(word))
  const named = at < 0 ? rest.map((word) => /^--target-directory=(.+)$/.exec(word)?.[1]).find(Boolean) : rest[at + 1]
  const paths = rest.filter((word) => !word.startsWith('-') && word !== named)
  const folder = name === 'rsync' ? paths.pop() : (named ?? paths.pop())
  if (folder === undefined || hasMarks(folder)) return undefined
  const kinds = paths.map((path) => kindOf(posix.join(folder, posix.basename(path)), places))
  return kinds.includes('guard') ? why.guard : undefined
}

/** A search or a copy of everything, secrets with it. */
function refusedAll(program, { places, isFeeding }) {
  const through = programs.goesThrough(program)
  if (through === undefined) return undefined
  if (program.name === 'find' && !programs.isReader(program) && reachesGuard(program, through, places)) return why.guard
  if (through.isListing === true && !isFeeding) return undefined
  const keptOut = programs.exclusionsOf(program).map(({ glob }) => glob)
  return reachesSecrets(through, places, keptOut)
    ? 'the command goes through the whole project, secrets included'
    : undefined
}

function reachesSecrets({ places: starts = [], matches = [] }, places, keptOut) {
  const isOther =
    matches.length > 0 &&
    !matches.some((glob) => [glob, ...globWords(glob)].some((one) => isNameOfSecret(one.replace(/^.*\//, ''), places)))
  return !isOther && starts.some((start) => holdsSecrets(start.replaceAll(any, '') || '.', places, keptOut))
}

/** `find . -name '*.json' -exec sed -i …` changes guards too. */
function reachesGuard({ rest }, { places: starts, matches }, places) {
  const isChanging =
    rest.includes('-delete') || /-exec(dir)? (\S*\/)?(rm|mv|sed -i|perl|chmod|truncate|tee|cp)\b/.test(rest.join(' '))
  const isOther = matches.length === 0 || !matches.some((glob) => globWords(glob).some(isNameOfGuard))
  return isChanging && !isOther && starts.some((start) => holdsGuard(start, places))
}
