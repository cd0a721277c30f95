import type { LookupFunction } from 'node:net'
import { homeValues, type FoundValue } from '../config/index.ts'
import { PipelineError } from '../errors/index.ts'
import { isLoopbackHost } from './addresses.ts'
import { permitsHost, permitsOrigin, permitsSecret } from './allow-list.ts'
import { isForAssistant } from './for-assistant.ts'
import { publicLookup, refusePrivate } from './public-lookup.ts'

/** A value that a source looked up, and whether its author calls it a secret. */
export interface LookedUp extends FoundValue {
  isSecret: boolean
}

export interface SourceEgressOptions {
  /** What the source has looked up so far; grows while it is read. */
  found: ReadonlyMap<string, LookedUp>
  baseUrl: string
  /** The base URL is a default in code, such as a platform's own address. */
  isBuiltIn: boolean
  /** The source is a file, not code: whoever wrote it may be a stranger. */
  isFile: boolean
  /** Requests go by a proxy, which resolves names. */
  byProxy: boolean
  /** @default the current folder */
  projectDir?: string
}

/**
 * Decides where the requests of one source may go.
 *
 * - A secret of the home folder, which serves all projects, goes to hosts that the home folder names, that are written in code, or
 *   that a person allowed for the project. A folder from elsewhere cannot have it sent anywhere.
 * - For an assistant, each secret goes only where a person allowed it; without secrets, to the public internet and this machine.
 */
export class SourceEgress {
  private readonly options: SourceEgressOptions
  private readonly projectDir: string
  private readonly isForAssistant = isForAssistant()
  private readonly baseOrigin: string
  /** Origins that may have what was looked up so far. */
  private readonly admitted = new Set<string>()
  private lookedUp = 0

  constructor(options: SourceEgressOptions) {
    this.options = options
    this.projectDir = options.projectDir ?? process.cwd()
    this.baseOrigin = originOf(new URL(options.baseUrl))
  }

  /** How names are resolved; `undefined` where any address may be asked. */
  get lookup(): LookupFunction | undefined {
    if (!this.isForAssistant) return undefined
    return publicLookup((host) => permitsHost(this.projectDir, host))
  }

  /** Throws `HOST_NOT_ALLOWED` for an address that must not be connected to; a promise where a name has to be resolved. */
  check(url: URL): void | Promise<void> {
    const { found: all } = this.options
    // A value that was looked up as a setting may be looked up as a secret later.
    let lookedUp = all.size
    for (const { isSecret } of all.values()) if (isSecret) lookedUp += 1
    if (lookedUp !== this.lookedUp) this.admitted.clear()
    this.lookedUp = lookedUp
    const origin = originOf(url)
    if (this.admitted.has(origin)) return
    const wait = this.admit(url, origin, [...all.values()])
    // A name can resolve to another address later; the connection checks the address that it uses.
    if (wait === undefined) this.admitted.add(origin)
    return wait
  }

  private admit(url: URL, origin: string, found: readonly LookedUp[]): void | Promise<void> {
    for (const one of found)
      if (this.isFromHome(one) && !this.mayHaveFromHome(one.key, origin, found)) throw this.notAllowed(one.key, origin)
    if (!this.isForAssistant) return
    const secrets = found.filter(({ isKept }) => isKept)
    for (const { key } of secrets) if (!this.mayHave(key, url, origin)) throw this.notAllowed(key, origin)
    if (secrets.length > 0 || permitsOrigin(this.projectDir, origin)) return
    return refusePrivate(url.hostname, this.options.byProxy)
  }

  private isFromHome({ origin, isKept, isSecret }: LookedUp): boolean {
    return origin === 'home' && (isKept || isSecret)
  }

  private mayHaveFromHome(key: string, origin: string, found: readonly LookedUp[]): boolean {
    const isCode =
      !this.options.isFile &&
      !found.some((one) => one.origin === 'project' && addressOf(one.value) === origin) &&
      !this.isForAssistant
    return isCode || (this.options.isBuiltIn && origin === this.baseOrigin) || this.isNamed(key, origin)
  }

  private mayHave(key: string, url: URL, origin: string): boolean {
    const isOwn = origin === this.baseOrigin
    return (isOwn && (this.options.isBuiltIn || isLoopbackHost(url.hostname))) || this.isNamed(key, origin)
  }

  private isNamed(key: string, origin: string): boolean {
    return isNamedByPerson(this.projectDir, { key, origin, forAssistant: this.isForAssistant })
  }

  private notAllowed(key: string, origin: string): PipelineError {
    return new PipelineError(`the secret "${key}" would be sent to ${origin}, which nobody has allowed`, {
      code: 'HOST_NOT_ALLOWED',
      fix: `to allow it, a person runs: sluice secrets allow ${key} ${origin}`,
    })
  }
}

/** Whether a person said that a secret may go to an origin: in the list, or next to the secret in the home folder. */
export function isNamedByPerson(
  projectDir: string,
  { key, origin, forAssistant }: { key: string; origin: string; forAssistant: boolean },
): boolean {
  if (permitsSecret(projectDir, key, origin)) return true
  const { host } = new URL(origin)
  // Only people write secrets; what is in a config.toml an assistant may have written.
  const files = forAssistant ? ['secrets.toml'] : ['secrets.toml', 'config.toml']
  return homeValues(key, files).some((value) => addressOf(value) === origin || value === host)
}

/** Also of a proxy that speaks no HTTP. */
export const originOf = ({ origin, protocol, host }: URL): string =>
  origin === 'null' ? `${protocol}//${host}` : origin

const addressOf = (value: unknown): string | undefined =>
  typeof value === 'string' && URL.canParse(value) ? originOf(new URL(value)) : undefined

/** For addresses that a person gave, and that get no secret. */
export const egressWithoutSecrets = (url: string, { byProxy }: { byProxy: boolean }): SourceEgress =>
  new SourceEgress({ found: new Map(), baseUrl: url, isBuiltIn: false, isFile: false, byProxy })
