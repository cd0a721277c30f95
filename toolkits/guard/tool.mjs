// Why a tool of a host must not be used as it is asked for.
import { refusedCommand } from './command.mjs'
import { globWords } from './shell.mjs'
import { canBe, holdsSecrets, kindOf, kindOfWord } from './places.mjs'
import { decided } from './work.mjs'

const isText =
  /^(content|contents|new_string|old_string|newString|oldString|text|new_str|old_str|file_text|new_source|prompt|description|patch|diff|query|input|title|body|message)$/
const isCommand = /^(command|cmd|script|commands)$/
/** Names of what a terminal is given, as if somebody typed it. */
const isTyped = /^(chars|input|text|data|keys)$/
/** Names of what a tool is given that are paths. */
const isPath = /path|file|dir|folder|source|destination|target|glob|uri|url|pattern|include/i

const reasons = {
  secret: 'the file holds secrets',
  'secrets folder': 'the folder holds secrets',
  guard: 'the file is a guard, which only a person changes',
}

/** `{ tool, input }` is what the host says; `places` is the project it is about. */
export const refusedTool = (question, places) => decided(places, (asked) => refusedQuestion(question, asked))

function refusedQuestion({ tool, input }, places) {
  const writes = /write|edit|patch|create|replace|move|rename|delete|remove|copy|insert|save|update|upload/i.test(tool)
  const searches = !writes && /grep|search/i.test(tool)
  const lists = !writes && /glob|^ls$|list/i.test(tool)
  const types = /terminal|stdin|shell|bash|console/i.test(tool)
  const context = { places, writes, searches, lists, types }
  return refusedValue(input, '', context) ?? (searches ? refusedSearch(input, places) : undefined)
}

function refusedValue(value, key, context) {
  if (typeof value === 'string') return refusedText(value, key, context)
  if (Array.isArray(value)) {
    const isWords = isCommand.test(key) && value.every((word) => typeof word === 'string')
    return isWords ? refusedWords(value, context) : first(value, (inner) => refusedValue(inner, key, context))
  }
  if (typeof value !== 'object' || value === null) return undefined
  return first(Object.entries(value), ([name, inner]) => refusedValue(inner, name, context))
}

function first(items, reasonOf) {
  for (const item of items) {
    const reason = reasonOf(item)
    if (reason !== undefined) return reason
  }
  return undefined
}

/** A command as the words of a program, or as several commands. */
function refusedWords(words, { places }) {
  const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
  return refusedCommand(quoted, places) ?? refusedCommand(words.join('\n'), places)
}

function refusedText(text, key, { places, writes, searches, lists, types }) {
  if (isCommand.test(key) || (types && isTyped.test(key))) return refusedCommand(text, places)
  if (isText.test(key)) return first(patchedFiles(text), (path) => reasons[kindOf(path, places)])
  if (searches && key === 'pattern') return undefined
  if (text === '' || text.length > 4096 || /\n/.test(text) || !(isPath.test(key) || /[./]/.test(text))) return undefined
  return first(globWords(text), (word) => {
    const kind = kindOfWord(word, places, true)
    if (kind === 'guard' && !writes) return undefined
    // Names are no secrets, so a glob over everything is not refused; one that names the folder is.
    if (lists && word !== text && !/sluice|dlt|secrets/i.test(text)) return undefined
    return reasons[kind]
  })
}

/** A patch names the files that it changes. */
const patchedFiles = (text) =>
  [
    ...text.matchAll(
      /^(?:\*\*\* (?:Add|Update|Delete|Move) (?:File|to): |[+-]{3} (?:[ab]\/)?|(?:rename (?:from|to)|copy to) )(.+)$/gm,
    ),
  ].map(([, path]) => path.trim())

/** A search through the project finds what is in its secrets, unless it keeps to other files. */
function refusedSearch(input, places) {
  const { path, glob, include, type, pattern } = input ?? {}
  if (typeof pattern !== 'string') return undefined
  const start = typeof path === 'string' && path !== '' ? path : '.'
  const kept = [glob, include].find((one) => typeof one === 'string' && one !== '')
  const isExclusion = kept?.startsWith('!') === true
  const keepsOut =
    (typeof type === 'string' && !/^(toml|all)$/.test(type)) ||
    (kept !== undefined && !isExclusion && !globWords(kept).some((word) => takesInSecrets(word, places)))
  if (keepsOut || !holdsSecrets(start, places, isExclusion ? [kept.slice(1)] : [])) return undefined
  return `the search goes through ${start === '.' ? 'the whole project' : start}, where secrets are: name a folder, or files by a glob`
}

/** A glob without folders is about names, wherever they are. */
const takesInSecrets = (word, places) =>
  kindOfWord(word, places, true) !== undefined ||
  canBe(word.replace(/^.*[/\uE000](?=[^/\uE000])/, ''), 'secrets.toml', true, places.work)
