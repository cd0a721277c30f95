// What the programs of a command do, as far as it matters for secrets.
import { basename } from 'node:path'

const set = (names) => new Set(names.split(' '))

/** They tell names and sizes, never what is in a file. */
const onlyLists = set(
  'ls stat test [ [[ mkdir du tree file wc dirname basename realpath readlink pwd cd pushd true false',
)
/** They change nothing that is named. */
const onlyReads = set(
  'cat head tail less more bat nl grep egrep fgrep rg jq diff cmp cut sort uniq md5sum sha256sum xxd find fd rgrep zgrep',
)
const shells = set('sh bash zsh dash ksh ash fish')
const interpreters =
  /^(node|tsx|ts-node|deno|bun|python[\d.]*|pypy[\d.]*|perl|ruby|php|lua|Rscript|[gmn]?awk|jq|vim?|ed|ex|emacs)$/
/** They go through folders, with or without being asked to. */
const searches = set('grep egrep fgrep zgrep rgrep ugrep rg ag ack')
const copies = set('cp scp tar bsdtar zip 7z rsync diff chmod chown rm mv pax cpio')

/** The words of a command behind `then`, `{` and the like. */
export function withoutKeywords(words) {
  const at = words.findIndex((word) => !keywords.has(word))
  return at < 0 ? [] : words.slice(at)
}
export const isLister = ({ name }) => onlyLists.has(name)
export const isShell = ({ name }) => shells.has(name)
/** They show files by the names that they are given, and nothing else. */
export const isGlance = ({ name, rest, isFed }) =>
  !isFed &&
  (/^(ls|pwd|stat|cat|head|tail|wc|test|\[|cd|echo|true|grep|jq|file)$/.test(name) ||
    (name === '' && rest.length === 0))
export const isInterpreter = ({ name }) => interpreters.test(name)

/** Whether a command leaves files that it names as they are. */
export function isReader({ name, rest }) {
  if (name === 'sed') return !rest.some((word) => /^-\w*i|^--in-place|(^|[;/\d])w\s/.test(word))
  if (name === 'sort') return !rest.some((word) => /^-o|^--output/.test(word))
  if (name === 'find') return !rest.some((word) => /^-(delete|exec|ok|fprint|fls)/.test(word))
  if (name === 'git')
    return /^(add|diff|log|show|status|commit|blame|ls-files|check-ignore|grep)$/.test(gitAction(rest))
  return onlyLists.has(name) || onlyReads.has(name)
}

export const gitAction = (rest) =>
  rest.find((word, at) => !word.startsWith('-') && !/^-[cC]$/.test(rest[at - 1] ?? '')) ?? ''

const keywords = set('if then else elif do while until ! { } time coproc')
const options = {
  sudo: /^-[ugUhpCTRD]$/,
  doas: /^-[uC]$/,
  env: /^(-[uC]|--unset|--chdir)$/,
  nice: /^-n$/,
  timeout: /^-[ks]$/,
  stdbuf: /^-[ioe]$/,
  xargs: /^-[EIdLnPs]$/,
  parallel: /^-[jIN]$/,
  exec: /^-a$/,
  command: /^$/,
  builtin: /^$/,
  nohup: /^$/,
  setsid: /^$/,
  busybox: /^$/,
  ionice: /^-[cn]$/,
  unbuffer: /^$/,
  chronic: /^$/,
}

/**
 * The program that runs in the end, and its words: `sudo timeout 5 cat x` is `cat x`. `isFed` says that it gets more words from
 * its input, as with `xargs`; `showsAll` that nothing is left to run but what prints the environment.
 */
export function programOf(words) {
  let rest = [...words]
  let isFed = false
  let showsAll = false
  for (let left = 20; rest.length > 0 && left > 0; left--) {
    const name = nameOf(rest[0])
    if (keywords.has(rest[0])) rest = rest.slice(1)
    else if (rest[0] === 'function') rest = rest.slice(2)
    else if (Object.hasOwn(options, name)) {
      rest = withoutOptions(rest, options[name], name)
      isFed ||= name === 'xargs' || name === 'parallel'
      showsAll = name === 'env' && rest.length === 0
    } else break
  }
  return { name: nameOf(rest[0] ?? ''), rest: rest.slice(1), isFed, showsAll }
}

const nameOf = (word) => (word === '/' ? word : basename(word))

function withoutOptions(words, takesValue, name) {
  let at = 1
  while (at < words.length) {
    const word = words[at]
    if (name === 'env' && /^(-S|--split-string=?)/.test(word)) {
      const text = word.replace(/^(-S|--split-string=?)/, '')
      return [...text.split(/\s+/), ...words.slice(at + 1).flatMap((one) => one.split(/\s+/))].filter(
        (one) => one !== '',
      )
    }
    if (takesValue.test(word)) at += 2
    else if (word.startsWith('-') || /^\w+=/.test(word)) at++
    else if (name === 'timeout' && /^[\d.]+[smhd]?$/.test(word)) at++
    else break
  }
  return words.slice(at)
}

/** Words that say something and name no file: messages, patterns of a search, what `echo` prints. */
export function proseOf({ name, rest }, command, isFeeding = command.isPiped) {
  if (/^(echo|printf|:|export|alias)$/.test(name) && !command.isPiped && !isFeeding) return new Set(rest)
  if (name === 'git' || name === 'gh')
    return valuesOf(rest, /^(-m|-b|-t|-S|-G|--(message|body|title|grep))$/, /^(--(message|body|title|grep)=|-[SG].)/)
  if (!searches.has(name)) return new Set()
  const named = valuesOf(rest, /^(-e|--regexp)$/, /^--regexp=/)
  return named.size > 0 ? named : new Set(rest.filter((word) => !word.startsWith('-')).slice(0, 1))
}

const valuesOf = (words, before, whole) =>
  new Set(words.filter((word, at) => before.test(words[at - 1] ?? '') || whole.test(word)))

/**
 * The places that a program goes through with everything below; none for one that does not. `matches` are patterns of names
 * that it keeps to.
 */
export function goesThrough(program) {
  const { name, rest, isFed } = program
  const places = rest.filter(
    (word, at) =>
      !word.startsWith('-') && !/^-(e|f|A|B|C|m|d|g|t|T|name|iname|path|type|maxdepth)$/.test(rest[at - 1] ?? ''),
  )
  if (name === 'git') return gitPlaces(rest)
  if (listsAll({ name, rest })) return { places: below(places), isListing: true }
  if (name === 'find' || name === 'fd')
    return {
      places: startsOf(rest),
      matches: namesOf(rest),
      isListing: !/ -(exec|ok|x|X|delete|fprint)/.test(` ${rest.join(' ')}`),
    }
  if (searches.has(name))
    return isRecursiveSearch(name, rest)
      ? { places: below(places.slice(hasPattern(rest) ? 0 : 1)), matches: includes(rest) }
      : undefined
  if (!copies.has(name) || (isFed && name !== 'tar')) return undefined
  const isWhole =
    /^(tar|bsdtar|pax|rsync)$/.test(name) ||
    rest.some((word) => /^-\w*[raR]/.test(word) || /^--(recursive|archive)/.test(word))
  return isWhole ? { places, matches: [] } : undefined
}

/** Words of an option that leaves files out, with the glob in it: `{ word, glob }`. */
export const exclusionsOf = ({ name, rest }) =>
  rest.flatMap((word, at) => {
    const before = rest[at - 1] ?? ''
    const isNext =
      /^--exclude(-dir)?$/.test(before) ||
      (before === '-x' && /^(zip|diff)$/.test(name)) ||
      (before === '-E' && name === 'fd')
    if (isNext) return [{ word, glob: word }]
    const [, glob] =
      /^(?:--exclude(?:-dir)?=|--i?glob=!|-g!|:!|:\^|:\(exclude\))(.+)$/.exec(word) ??
      (/^(-g|--i?glob)$/.test(before) ? /^!(.+)$/.exec(word) : null) ??
      []
    return glob === undefined ? [] : [{ word, glob }]
  })

const hasPattern = (rest) => rest.some((word) => /^(-e|-f|--regexp|--file)/.test(word))
const listsAll = ({ name, rest }) =>
  /^(du|tree)$/.test(name)
    ? rest.some((word) => /^(-\w*a|--all$)/.test(word))
    : name === 'ls' && rest.some((word) => /^-\w*R/.test(word)) && rest.some((word) => /^-\w*[aA]/.test(word))
const below = (places) => (places.length === 0 ? ['.'] : places)

function isRecursiveSearch(name, rest) {
  if (name === 'rg') return rest.some((word) => /^(-\w*u|-\w*\.|--hidden|--no-ignore|--unrestricted)/.test(word))
  if (name === 'ag') return rest.some((word) => /^(-\w*[aut]|--hidden|--unrestricted|--all)/.test(word))
  if (/^(rgrep|ack)$/.test(name)) return true
  return rest.some(
    (word, at) =>
      /^-\w*[rR]|^--(dereference-)?recursive|^--directories=recurse|^-drecurse/.test(word) ||
      (word === 'recurse' && rest[at - 1] === '-d'),
  )
}

const includes = (rest) =>
  rest.flatMap((word, at) =>
    /^(-g|--glob)$/.test(rest[at - 1] ?? '')
      ? word.startsWith('!')
        ? []
        : [word]
      : (/^--(?:include|glob)=([^!].*)$/.exec(word)?.slice(1) ?? []),
  )

function startsOf(rest) {
  const end = rest.findIndex((word) => /^[-(!]/.test(word))
  return below(rest.slice(0, end < 0 ? rest.length : end))
}

/** Names that `find` keeps to, where it keeps to them alone. */
function namesOf(rest) {
  const isNegation = (word) => /^(!|-not)$/.test(word ?? '')
  if (rest.some((word, at) => /^(-o|-or)$/.test(word) || (isNegation(word) && !/^-i?(name|path)$/.test(rest[at + 1]))))
    return []
  return rest.filter((_, at) => /^-i?name$/.test(rest[at - 1] ?? '') && !isNegation(rest[at - 2]))
}

/** `git` looks at files that it does not keep only when it is told to. */
function gitPlaces(rest) {
  const action = gitAction(rest)
  const isWide =
    rest.some((word) => /^--(no-index|untracked|no-exclude-standard)$/.test(word)) ||
    (action === 'add' && rest.some((word) => /^-\w*f|^--force/.test(word))) ||
    (action === 'stash' && rest.some((word) => /^-\w*a|^--all/.test(word)))
  const has = (pattern) => rest.some((word) => pattern.test(word))
  const isListing =
    has(/^--ignored/) || (action === 'ls-files' && has(/^(-\w*o|--others)/) && (has(/^-\w*i/) || !has(/^--exclude/)))
  if (isListing) return { places: ['.'], matches: [], isListing }
  if (!isWide) return undefined
  const named = rest.filter((word) => !word.startsWith('-') && word !== action).slice(action === 'grep' ? 1 : 0)
  return { places: action === 'stash' ? ['.'] : below(named), matches: [] }
}
