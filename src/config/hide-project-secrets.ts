import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { addSecret, addToken, isSecretField, isSecretName } from '../masking/index.ts'
import { environmentName, isPlaceholder } from './config.ts'
import { dataDir } from './data-dir.ts'
import { secretTexts } from './setting-text.ts'
import { readTomlFiles } from './toml-files.ts'

/**
 * Makes `redact` hide every secret of the project, whether or not a run has used it: what is in `secrets.toml`, in the
 * environment, and the tokens that are kept for later runs. `keys` are those that sources ask for, such as `client.pin`.
 */
export function hideProjectSecrets(projectDir = process.cwd(), keys: readonly string[] = []): void {
  for (const { content } of readTomlFiles('secrets.toml', projectDir)) {
    // A value that only resembles a placeholder may be real: runs use it, so it is masked.
    for (const text of secretTexts(content)) if (!isPlaceholder(text)) addSecret(text)
  }
  const variables = keys.map((key) => environmentName(key.split('.')))
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && holdsSecret(name, value, variables)) addSecret(value)
  for (const token of keptTokens()) addToken(token)
}

/** Sections of which every setting is a secret, also below the name of a pipeline. */
const secretSections = /(?:^|__)(?:WORKERS|INBOX|ALERTS)__/
const secretWords = /KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS/
const settingSections = /(?:^|__)(?:SOURCES|DESTINATION)__/

/**
 * A variable is a secret when a source asks for it, when its section or its name says so, or when it is a setting that nobody
 * would mistake for a word. Others, such as names of buckets, are ordinary words that may be shown.
 */
function holdsSecret(name: string, value: string, asked: readonly string[]): boolean {
  if (secretSections.test(name) || asked.some((one) => name === one || name.endsWith(`__${one}`))) return true
  // A file with a secret in it is named by variables like this one.
  if (/^[~.]?\//.test(value) && /(?:CREDENTIALS|FILE|PATH|SOCK)$/.test(name)) return false
  if (/^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#\s]*|[^/?#\s@:]*:[^\s@]*)@/i.test(value)) return true
  const last = name.split('__').at(-1)!
  if (isCount(last, value, settingSections.test(name))) return false
  if (!settingSections.test(name)) return isSecretField(last) && !folderNames.has(name) && !isPath(value)
  return secretWords.test(name) || isSecretName(last) || isSecretField(last) || looksRandom(value)
}

/** The names of a shell's folders, in which `PWD` is no password. */
const folderNames = new Set(['PWD', 'OLDPWD'])

/**
 * How many tokens a model may use, and the like: `MAX_THINKING_TOKENS=10000`. A setting of a source needs a word for a limit as
 * well, because `TOKENS` alone may be a list of one.
 */
const isCount = (name: string, value: string, isSetting: boolean): boolean =>
  /^\d{1,9}$/.test(value) &&
  /TOKENS$/i.test(name) &&
  (!isSetting || /(?:^|_)(?:MAX|MIN|LIMIT|BUDGET|COUNT|NUM)_/i.test(name))

/**
 * A file or a folder that exists, or an absolute path of plain names. A random secret may start with a slash and hold others, as
 * those of AWS do, but its parts mix letters of both cases.
 */
function isPath(value: string): boolean {
  if (!isAbsolute(value) && !/^(?:~\/|[a-z]:[\\/])/i.test(value)) return false
  const parts = value.replace(/^(?:~|[a-z]:)?[\\/]/i, '').split(/[\\/]/)
  return existsSync(value) || (parts.length > 1 && parts.every(isPlainName))
}

const isPlainName = (name: string): boolean =>
  /^[A-Z]?[a-z\d]*$/.test(name) || (/^[\w .-]+$/.test(name) && /[._-]/.test(name))

const shortestRandom = 16

/** Long, with letters and digits, and no address, path, date or sentence. */
const looksRandom = (value: string): boolean =>
  value.length >= shortestRandom &&
  /[a-z]/i.test(value) &&
  /\d/.test(value) &&
  /^(?!\d{4}-\d\d-\d\d)[^\s./\\]+$/.test(value)

/** Refresh tokens that APIs have given in place of the one in the settings. */
function keptTokens(): string[] {
  const folder = join(dataDir(), 'tokens')
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readFileSync(join(folder, name), 'utf8')]
    } catch {
      // A draft that has taken its place meanwhile.
      return []
    }
  })
}
