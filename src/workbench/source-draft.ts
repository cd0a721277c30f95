import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { PipelineError } from '../index.ts'
import { isSecretField, isSecretName } from '../masking/index.ts'
import { draftSource, readDocument, sourceFileText, type Draft } from '../sources/rest/openapi/index.ts'
import { lintSource, loadSourceFile, parseSourceText, readSourceSpec, type Finding } from '../sources/rest/index.ts'
import { insideProject } from './project-path.ts'

/** Everything that can be told about a source file without asking its API. */
export function validateSourceFile(path: string): { source: string; resources: string[]; findings: Finding[] } {
  const spec = readSourceSpec(path)
  const findings = lintSource(spec)
  const isRight = !findings.some(({ level }) => level === 'error')
  return {
    source: spec.name,
    resources: isRight ? loadSourceFile(path).resources.map(({ name }) => name) : [],
    findings,
  }
}

/** A source file from an OpenAPI description, at a path that is free. */
export async function draftSourceFile(
  place: string,
  options: { path?: string; name?: string; only?: readonly string[]; overwrite?: boolean },
): Promise<{ path: string; draft: Draft }> {
  const only = options.only === undefined ? undefined : [...options.only]
  const draft = draftSource(await readDocument(place), { name: options.name, only })
  const path = options.path ?? `${draft.name}.source.yaml`
  refuseToOverwrite(path, options.overwrite === true)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, sourceFileText(draft))
  // A file that does not load would be a defect, not the user's mistake.
  loadSourceFile(path)
  return { path, draft }
}

function refuseToOverwrite(path: string, overwrites: boolean): void {
  if (!existsSync(path) || overwrites) return
  throw new PipelineError(`${path} exists already`, {
    code: 'WRONG_USE',
    fix: 'take another name; or overwrite it: --force on the command line, overwrite for a tool',
  })
}

/** Writes a source file of the project, where its text is right and holds no secret. */
export function writeSourceFile(projectDir: string, path: string, text: string, overwrites: boolean) {
  if (!/\.source\.(ya?ml|json)$/.test(path)) {
    throw new PipelineError(`${path} is no name of a source file`, {
      code: 'WRONG_USE',
      fix: 'call it <name>.source.yaml',
    })
  }
  const file = insideProject(projectDir, path)
  refuseToOverwrite(file, overwrites)
  refuseSecrets(path, text)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return validateSourceFile(file)
}

/** A key that was written down in a source file would be in the version control next. */
function refuseSecrets(path: string, text: string): void {
  const waiting: { value: unknown; isNamed: boolean }[] = [{ value: parseSourceText(path, text), isNamed: false }]
  const seen = new Set<unknown>()
  while (waiting.length > 0) {
    const { value, isNamed } = waiting.pop()!
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    const entries = Object.entries(value)
    // A reference, `{ secret: api_key }`: the name of one.
    if (entries.length === 1 && entries[0]![0] === 'secret') continue
    for (const [key, inner] of entries) {
      if (typeof inner === 'string' && isWrittenDown(key, inner, isNamed)) throw holdsSecret(path, key)
      waiting.push({ value: inner, isNamed: /^headers$/i.test(key) })
    }
  }
}

/** A kind of auth, and names of places in an answer, go by words that stand for secrets elsewhere. */
const placeKeys = /^auth$|_?(?:path|param|header|cookie|url)$/i

function isWrittenDown(key: string, value: string, isHeader: boolean): boolean {
  if (value === '' || /^\{[\w.]+\}$/.test(value)) return false
  // User and password of an address.
  if (/^\w+:\/\/[^/?#\s]*@/.test(value)) return true
  return isHeader ? isSecretName(key) : isSecretField(key) && !placeKeys.test(key)
}

const holdsSecret = (path: string, key: string): PipelineError =>
  new PipelineError(`${path}: "${key}" holds a value; a source file only names its secrets`, {
    code: 'WRONG_USE',
    fix: `write ${key}: { secret: ${key.toLowerCase()} }, and let a person set it: sluice secrets set`,
  })
