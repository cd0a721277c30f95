// Where secrets are, and what keeps assistants from them.
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, isAbsolute, join, posix, resolve } from 'node:path'
import { any, globWords, hasMarks, one, star } from './shell.mjs'
import { Work } from './work.mjs'

/** Names of settings folders: those of Sluice, of dlt, and what the environment calls them. */
export const folderNames = ['.sluice', '.dlt', process.env.SLUICE_CONFIG_FOLDER, process.env.DLT_CONFIG_FOLDER]
  .filter((name) => name !== undefined && name !== '')
  .map((name) => name.toLowerCase())

const secretName = /(^|[./])secrets\.toml(\.new|~|\.bak|\.orig|\.swp)?$/
/** Files of a settings folder that hold no secrets. */
const openFile = /^([\w-]+\.)*config\.toml$|^workbench\.json$|^\.gitignore$|^guard(\/[\w-]+)?\.mjs$/
const guardFile = new RegExp(
  [
    '\\.sluice/guard(\\.mjs)?(/|$)',
    '\\.claude/(settings[^/]*\\.json|hooks(/|$))',
    '\\.claude\\.json$',
    '\\.mcp\\.json$',
    '\\.cursor/(mcp|hooks)',
    '\\.cursorignore$',
    '\\.codex/(config\\.toml|hooks)',
    '\\.vscode/mcp\\.json$',
    '\\.github/hooks(/|$)',
  ]
    .map((part) => `(^|/)${part}`)
    .join('|'),
)
const guardFolder = /(^|\/)(\.claude|\.cursor|\.codex|\.github|\.vscode)$/

/** Places that concern one project: `root` is the project, `folder` the one that a command starts in. */
export function placesOf({ root, home, folder, dataDir }) {
  return { root, home, folder, dataDir: slashes(dataDir ?? standardDataDir(root, home)) }
}

/** As `src/config/data-dir.ts`: an empty variable counts as unset, and a relative one is resolved where Sluice runs. */
function standardDataDir(root, home) {
  const { SLUICE_DATA_DIR: moved, XDG_DATA_HOME: base } = process.env
  return moved ? resolve(root, moved) : resolve(root, base || join(home, '.local', 'share'), 'sluice')
}

const slashes = (path) => path.replaceAll('\\', '/')

const real = (path, work) =>
  work.once(`real ${path}`, () => {
    try {
      return realpathSync(path)
    } catch {
      const parent = dirname(path)
      return parent === path ? path : join(real(parent, work), path.slice(parent.length))
    }
  })

/** `secret`, `secrets folder`, `guard` or `guard folder`; `undefined` for every other path. Links are followed. */
export function kindOf(path, places) {
  const full = absolute(path, places)
  places.work.spend(full.length)
  return (
    kindOfFull(full, places) ?? (full.length < 4096 ? kindOfFull(slashes(real(full, places.work)), places) : undefined)
  )
}

function kindOfFull(full, { dataDir }) {
  const path = full.toLowerCase()
  const parts = path.split('/')
  const at = parts.findLastIndex((part) => folderNames.includes(part))
  const inside = at < 0 ? undefined : parts.slice(at + 1).join('/')
  if (guardFile.test(path)) return 'guard'
  if (inside === '' || path === dataDir.toLowerCase()) return 'secrets folder'
  if (secretName.test(path) || /^\/proc\/.*environ$/.test(path)) return 'secret'
  if (inside !== undefined && !openFile.test(inside)) return 'secret'
  if (path.startsWith(`${dataDir.toLowerCase()}/`) || path.endsWith('/allowed-hosts.json')) return 'secret'
  return guardFolder.test(path) ? 'guard folder' : undefined
}

function absolute(path, { folder, home }) {
  const given = slashes(path)
    .replace(/^file:\/\//, '')
    .replace(/^~(?=\/|$)/, home)
  return posix.normalize(isAbsolute(given) ? given : `${slashes(folder)}/${given}`).replace(/(?<=.)\/$/, '')
}

/** The kind of a place that a word with marks can stand for. A word of nothing but marks says only that links may be meant. */
export function kindOfPattern(word, places, withDots = false) {
  // In a folder of secrets, any name is the name of one.
  if (!/[^\uE000\uE003-\uE005/]/.test(word)) return kindOf('.', places) === 'secrets folder' ? 'secret' : undefined
  if (word.length > 1000) return 'secret'
  const { start, rest } = literalStart(word)
  const isHere = start === '' && !/^[/\uE000]/.test(word)
  const kind = start !== '' ? kindOf(start, places) : isHere ? kindOf('.', places) : undefined
  if (kind === 'secret' || (kind === 'secrets folder' && rest !== '')) return 'secret'
  if (isHere && word === star && (kind === 'guard' || kind === 'guard folder')) return kind
  const pattern = absolutePattern(word, places).toLowerCase()
  const parts = word.toLowerCase().split('/')
  const named = parts.findLastIndex((part) => folderNames.includes(part))
  if (named >= 0 && hasMarks(word))
    return parts.slice(named + 1).some((part) => part !== '') ? 'secret' : 'secrets folder'
  const isBare = !/[^\uE000-\uE005/]/.test(word)
  const { work } = places
  if (isBare && places.isGuess === true) return undefined
  return [...links(places), ...(isBare ? [] : candidates(places))].find(([path]) =>
    canBe(pattern, path.toLowerCase(), withDots, work),
  )?.[1]
}

export const kindOfWord = (word, places, withDots) =>
  hasMarks(word) ? kindOfPattern(word, places, withDots) : kindOf(word, places)

/** The folders of a word that are known, before the first that is not. */
function literalStart(word) {
  const parts = word.split('/')
  const at = parts.findIndex(hasMarks)
  return { start: parts.slice(0, at).join('/'), rest: parts.slice(at).join('/') }
}

function absolutePattern(word, { folder }) {
  const isRooted = word.startsWith('/') || word.startsWith(any)
  const parts = []
  for (const part of (isRooted ? word : `${slashes(folder)}/${word}`).split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return (word.startsWith(any) ? any : '/') + parts.join('/')
}

/** Paths that a pattern is compared with, and what they are. */
function candidates(places) {
  return places.work.once(`candidates ${places.folder}`, () => candidatesIn(places))
}

function candidatesIn(places) {
  const bases = [...new Set([places.root, places.folder, places.home].map(slashes))]
  const settings = bases.flatMap((base) => folderNames.map((name) => `${base}/${name}`))
  const here = folderNames.includes(slashes(places.folder).split('/').at(-1)) ? [slashes(places.folder)] : []
  const linked = links(places).flatMap(([path, kind]) => (kind === 'secrets folder' ? [path] : []))
  const folders = [...settings, ...here, ...linked, places.dataDir]
  return [
    ...folders.flatMap((folder) =>
      ['secrets.toml', 'prod.secrets.toml', ...secretFilesIn(folder)].map((name) => [`${folder}/${name}`, 'secret']),
    ),
    ...['allowed-hosts.json', 'dashboard.token'].map((name) => [`${places.dataDir}/${name}`, 'secret']),
    ...['self', '1', 'self/task/1'].map((id) => [`/proc/${id}/environ`, 'secret']),
    ...folders.map((folder) => [folder, 'secrets folder']),
    ...bases.flatMap((base) => guards.map((name) => [`${base}/${name}`, 'guard'])),
  ]
}

/** Links of the project, by names of their own, to places that concern it. */
const links = (places) =>
  [...new Set([places.root, places.folder].map(slashes))].flatMap((base) =>
    places.work.once(`links ${base}`, () =>
      entriesOf(base)
        .filter((entry) => entry.isSymbolicLink())
        .map(({ name }) => [`${base}/${name}`, kindOf(`${base}/${name}`, places)])
        .filter(([, kind]) => kind !== undefined),
    ),
  )

/** Whether a glob of names is about secrets, or about a link to them. */
export const isNameOfSecret = (glob, places) =>
  [['/secrets.toml'], ...links(places)].some(([path]) =>
    canBe(glob.toLowerCase(), path.slice(path.lastIndexOf('/') + 1).toLowerCase(), true),
  )

export const isNameOfGuard = (glob) => guards.some((path) => canBe(glob.toLowerCase(), posix.basename(path), true))

/** Whether a folder has a guard: it is one of a host, or the project, or above it. */
export function holdsGuard(path, places) {
  const full = absolute(path, places)
  if (kindOf(full, places) !== undefined) return true
  return (
    `${slashes(places.root)}/`.startsWith(full === '/' ? full : `${full}/`) &&
    existsSync(`${places.root}/.sluice/guard.mjs`)
  )
}

const guards = [
  '.sluice/guard.mjs',
  '.sluice/guard',
  '.sluice/guard/command.mjs',
  '.claude/settings.json',
  '.claude/settings.local.json',
  '.mcp.json',
  '.cursor/mcp.json',
  '.cursor/hooks.json',
  '.cursorignore',
  '.codex/config.toml',
  '.codex/hooks.json',
  '.vscode/mcp.json',
  '.github/hooks/sluice.json',
]

const secretFilesIn = (folder) =>
  entriesOf(folder)
    .map(({ name }) => name)
    .filter((name) => secretName.test(name.toLowerCase()))

function entriesOf(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

/**
 * Whether a word with marks can stand for a path. It keeps the set of places in the path that it may have come to, letter by
 * letter, so that no pattern takes long.
 */
export function canBe(pattern, path, withDots, work = new Work()) {
  const plain = /^[^\uE000-\uE005]*/.exec(pattern)[0]
  work.spend(1)
  if (!path.startsWith(plain)) return false
  let reached = new Set([plain.length])
  for (const mark of pattern.slice(plain.length)) {
    const next = new Set()
    work.spend(mark === any || mark === star ? 10 * reached.size : reached.size)
    for (const from of reached) {
      const hidden = !withDots && path[from] === '.' && path[from - 1] === '/'
      if (mark === any || (mark === star && !hidden)) {
        const end = mark === any ? path.length : endOfName(path, from)
        for (let to = from; to <= end; to++) next.add(to)
      } else if (mark === star) next.add(from)
      else if (mark === one ? from < path.length && path[from] !== '/' && !hidden : path[from] === mark)
        next.add(from + 1)
    }
    if (next.size === 0) return false
    reached = next
  }
  return reached.has(path.length)
}

function endOfName(path, from) {
  const slash = path.indexOf('/', from)
  return slash < 0 ? path.length : slash
}

/**
 * Whether a search through a folder comes upon secrets that are there, and that none of the globs in `keptOut` leaves out.
 * Placeholders are none.
 */
export function holdsSecrets(path, places, keptOut = []) {
  const full = absolute(path, places)
  const bases = [places.root, places.folder, places.home].map(slashes)
  const folders = [...new Set(bases)].flatMap((base) => folderNames.map((name) => `${base}/${name}`))
  const isBelow = (file) =>
    [full, slashes(real(full, places.work))].some((above) => `${file}/`.startsWith(above === '/' ? '/' : `${above}/`))
  const files = folders.flatMap((folder) => secretFilesIn(folder).map((name) => `${folder}/${name}`))
  const globs = keptOut.flatMap(globWords)
  const isReached = (file) => isBelow(file) && !globs.some((glob) => leavesOut(glob, file, places.work))
  return (
    files.some((file) => isReached(file) && hasValue(file)) || (isReached(places.dataDir) && existsSync(places.dataDir))
  )
}

/** Whether a glob is about a file or a folder above it; without a folder of its own, it is about names. */
function leavesOut(glob, file, work) {
  const pattern = glob.replace(/^[/.\uE000]*\/|\/[\uE000\uE001]?$/g, '').toLowerCase()
  if (pattern === '') return false
  const parts = file.toLowerCase().split('/')
  return parts.some((_, at) => canBe(`${any}/${pattern}`, parts.slice(0, at + 1).join('/'), true, work))
}

function hasValue(file) {
  try {
    return /^[^#\n]*=[ \t]*(?!["'](<[^"']*>)?["'])\S/m.test(readFileSync(file, 'utf8'))
  } catch {
    return false
  }
}
