// Asked by Claude Code, Cursor, Codex and VS Code before an assistant uses a tool. It ends with 2 when that would show
// secrets of this project, or change this guard: the host then does not go on. It comes from Sluice and needs only Node.
// What it cannot see: programs that make up the name of the file as they run. Where that matters, keep secrets in the
// environment, or in ~/.sluice/secrets.toml, out of the project.
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))))
const settingsFolders = ['.sluice', '.dlt'].map((name) => join(root, name))
const guards = [
  '.sluice/guard.mjs',
  '.claude/settings.json',
  '.cursor/hooks.json',
  '.codex/hooks.json',
  '.github/hooks/sluice.json',
]

const isSecretFile = (path) => /(^|\.)secrets\.toml(\.new|~|\.bak|\.swp)?$/i.test(basename(path))

/** The files of secrets that are there, and those that may come. */
const secretFiles = settingsFolders.flatMap((folder) => {
  const there = existsSync(folder) ? readdirSync(folder).filter(isSecretFile) : []
  return [...new Set(['secrets.toml', ...there])].map((name) => join(folder, name))
})

function real(path) {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** Why a path must not be touched. */
function refusedPath(path, folder) {
  if (path.length > 4096 || path.includes('\n')) return undefined
  const full = resolve(folder, path.replace(/^file:\/\//, '').replace(/^~(?=\/)/, process.env.HOME ?? '~'))
  if (isSecretFile(full) || isSecretFile(real(full))) return 'the file holds secrets'
  return undefined
}

const isGuard = (path, folder) => guards.includes(relative(root, real(resolve(folder, path))).replaceAll('\\', '/'))

/** A glob as a pattern; `**` goes through folders, `*` stays in one. */
function globPattern(glob) {
  const source = glob
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replace(/\*\*\/?/g, '\u0000')
    .replace(/\*/g, '[^/]*')
    .replace(/\?/g, '[^/]')
    .replaceAll('\u0000', '.*')
  try {
    return new RegExp(`^${source}$`, 'i')
  } catch {
    return /^$/
  }
}

/** Braces as the words they stand for: `{a,b}c` is `ac` and `bc`. */
function braces(word) {
  const [whole, inner] = /\{([^{}]*,[^{}]*)\}/.exec(word) ?? []
  if (whole === undefined) return [word]
  return inner.split(',').flatMap((part) => braces(word.replace(whole, part)))
}

function matchesSecret(word, folder) {
  if (!/[*?[{]/.test(word)) return false
  return braces(word).some((one) => {
    const pattern = globPattern(isAbsolute(one) ? one : join(folder, one))
    return secretFiles.some((file) => pattern.test(file))
  })
}

/** Why a command must not be run. */
function refusedCommand(command, start) {
  // Quotes and backslashes hide a name from a search, not from the shell.
  const plain = command.replace(/\\\n/g, ' ').replace(/["'\\`]/g, '')
  const named = refusedNames.find(([pattern]) => pattern.test(plain))
  if (named !== undefined) return named[1]
  if (namesSecretVariable(plain)) return 'the command names a variable that holds a secret'
  let folder = start
  for (const part of plain.split(/&&|\|\||[;|\n&]/)) {
    const { name, rest } = programOf(part)
    if (/^(cd|pushd)$/.test(name) && rest[0] !== undefined) folder = resolve(folder, rest[0])
    const reason =
      showsEnvironment(part, name, rest) ?? readsSecrets(name, rest, folder) ?? goesThroughAll(part, name, rest, folder)
    if (reason !== undefined) return reason
  }
  return undefined
}

const refusedNames = [
  [/secrets\.toml/i, 'the command names secrets.toml'],
  [/\.sluice[^\s]*guard\.mjs/, 'the command names the guard'],
  [/allowed-hosts\.json/, 'the command names the list of allowed hosts'],
  [/\bsluice\b.*\bai\b.*\buninstall\b/, 'the command takes the guard out, which only a person does'],
  [
    /\bsluice\b.*\bfailed-(packages|jobs)\b.*\bdiscard\b/,
    'the command deletes rows that were set aside, which only a person does',
  ],
  [/\/proc\/[^/\s]+\/environ/, 'the command shows the environment'],
]

/** What the simulators print may be set: it is no secret. */
function namesSecretVariable(plain) {
  const names = plain.matchAll(
    /\b(?:(?:SOURCES|DESTINATION)__\w*(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS)|ALERTS__)\w*(=\S*)?/g,
  )
  return [...names].some(([, value]) => !/^=\S*simulated/.test(value ?? ''))
}

/** The program of a part of a command, and what it is given. */
function programOf(part) {
  const words = part
    .trim()
    .replace(/^[({]\s*/, '')
    .split(/\s+/)
    .filter((word) => !/^\w+=/.test(word) && word !== 'sudo')
  return { name: basename(words[0] ?? ''), rest: words.slice(1) }
}

function showsEnvironment(part, name, rest) {
  const isBare = rest.every((word) => word.startsWith('-')) && !/\s\w+=/.test(part)
  const shows = /^(env|printenv|set|declare|typeset|export)$/.test(name) && isBare
  return shows ? 'the command shows the environment' : undefined
}

/** Programs that are given a folder and read nothing in it. */
const onlyLooks = /^(ls|mkdir|test|stat|cd|pushd|rmdir|du|git|sluice|npx|npm|node|echo|tree)$/

function readsSecrets(name, rest, folder) {
  for (const word of rest.map((one) => one.replace(/^[<>]+|^--?[\w-]+=/g, ''))) {
    if (matchesSecret(word, folder)) return 'a pattern of the command takes in secrets.toml'
    if (refusedPath(word, folder) !== undefined) return 'the command reads a file of secrets'
    if (settingsFolders.includes(real(resolve(folder, word))) && !onlyLooks.test(name))
      return `the command reads the whole folder ${word}`
  }
  return undefined
}

/** A search or a copy of everything, secrets with it. */
function goesThroughAll(part, name, rest, folder) {
  const isSearch = /^([ef]?grep|rg)$/.test(name)
  const isRecursive =
    (isSearch && name !== 'rg' && rest.some((word) => /^-\w*[rR]|^--recursive/.test(word))) ||
    (name === 'rg' && rest.some((word) => /^(-\w*u|-\.|--hidden|--no-ignore)/.test(word))) ||
    (name === 'find' && /-exec|-delete/.test(part)) ||
    (/^(tar|zip|cp|rsync|scp)$/.test(name) && rest.some((word) => /^-?\w*[raRczA]/.test(word)))
  if (!isRecursive || /--exclude(-dir)?=\S*(secrets\.toml|\.sluice|\.dlt)|--glob=?!/.test(part)) return undefined
  const places = rest.filter((word) => !word.startsWith('-')).slice(isSearch ? 1 : 0)
  const isAbove = (word) =>
    settingsFolders.some((one) => existsSync(one) && `${one}/`.startsWith(`${real(resolve(folder, word))}/`))
  const isWhole = places.some(isAbove) || (isSearch && places.length === 0 && isAbove('.'))
  return isWhole ? 'the command goes through the whole project, secrets included' : undefined
}

const isText =
  /^(content|contents|new_string|old_string|newString|oldString|text|new_str|old_str|file_text|prompt|description|patch|diff)$/
const isCommand = /^(command|cmd|script|commands)$/

/** Goes through whatever a host says that a tool is to get. */
function refused(value, { folder, writes, isSearch }, key = '') {
  if (typeof value === 'string') {
    if (isText.test(key)) {
      if (writes && /["']--allow-run["']/.test(value))
        return 'the text lets assistants run pipelines, which only a person does'
      // A patch names the files that it changes.
      const named = [...value.matchAll(/^(?:\*\*\* (?:Add|Update|Delete) File: |[+-]{3} (?:[ab]\/)?)(.+)$/gm)].map(
        ([, path]) => path.trim(),
      )
      return named
        .map((path) => refusedPath(path, folder) ?? (isGuard(path, folder) ? 'the file is a guard' : undefined))
        .find((one) => one !== undefined)
    }
    if (isCommand.test(key)) return refusedCommand(value, folder)
    if (isSearch && key === 'pattern') return undefined
    if (matchesSecret(value, folder)) return 'the pattern takes in secrets.toml'
    if (/path|file|dir/i.test(key) && settingsFolders.includes(real(resolve(folder, value))) && !writes)
      return 'the folder holds secrets'
    if (writes && isGuard(value, folder)) return 'the file is a guard, which only a person changes'
    return refusedPath(value, folder)
  }
  if (Array.isArray(value)) {
    if (isCommand.test(key) && value.every((one) => typeof one === 'string'))
      return refusedCommand(value.join(' '), folder)
    return value.map((one) => refused(one, { folder, writes, isSearch }, key)).find((one) => one !== undefined)
  }
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value)
    .map(([name, inner]) => refused(inner, { folder, writes, isSearch }, name))
    .find((one) => one !== undefined)
}

function decide(text) {
  let input
  try {
    input = JSON.parse(text)
  } catch {
    return /secrets\.toml/i.test(text) ? { reason: 'the question cannot be read, and names secrets.toml' } : {}
  }
  const { tool_name: tool = '', tool_input: given, hook_event_name: event = '', cwd } = input
  const folder = typeof cwd === 'string' && cwd !== '' ? cwd : root
  const writes = /write|edit|patch|create|replace/i.test(tool)
  // Cursor puts what is asked at the top; `content` there is what a file holds.
  const asked = given ?? { command: input.command, file_path: input.file_path }
  // The pattern of a search is what is looked for; that of others names files.
  const isSearch = /grep|search/i.test(tool)
  return { reason: refused(asked, { folder, writes, isSearch }), isCursor: /^before|^preToolUse/.test(event) }
}

const { reason, isCursor } = decide(readFileSync(0, 'utf8'))
const advice =
  'Secrets are not for assistants. What is set: npx sluice secrets list. A person sets one: npx sluice secrets set <key>.'
if (reason === undefined) {
  if (isCursor) console.log(JSON.stringify({ permission: 'allow' }))
} else {
  if (isCursor)
    console.log(
      JSON.stringify({ permission: 'deny', user_message: `Sluice: ${reason}`, agent_message: `${reason}. ${advice}` }),
    )
  console.error(`Blocked: ${reason}. ${advice}`)
  process.exitCode = 2
}
