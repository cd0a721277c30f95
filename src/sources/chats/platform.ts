import { config, type ConfigReference, secret } from '../../config/index.ts'
import { PipelineError } from '../../errors/index.ts'
import type { ResourceContext, Source } from '../../extract/index.ts'
import { configuredList, RestWriter, type ClientSpec, type RestSourceSpec } from '../rest/index.ts'
import { settingsOf } from '../rest/run-settings.ts'

/** Options that every platform takes. */
export interface PlatformOptions {
  /** Another address of the API, such as a simulator's. @default the setting `base_url`, or the platform's own */
  baseUrl?: string
  /** Requests allowed per minute. @default the platform's limit */
  requestsPerMinute?: number
}

/** What a platform is, for its generated documentation. */
export interface PlatformDocs {
  name: string
  title: string
  /** What it is, in one sentence. */
  about: string
  baseUrl: string
  /** How requests show who asks, in one sentence. */
  auth: string
  /** Where a person gets the key, step by step. */
  credentials: string[]
  /** What goes wrong, and what to do. */
  troubleshooting: { topic: string; text: string }[]
  resources: { name: string; reads: string; note: string }[]
  /** Where the source page is wrong, and what is right. */
  corrections: string[]
  settings: { key: string; secret: boolean; note: string }[]
  actions: { name: string; note: string }[]
}

/** A write, called on purpose and never part of a load. */
export type Action<Input> = (input: Input, options?: ActionOptions) => Promise<unknown>
export interface ActionOptions extends PlatformOptions {
  signal?: AbortSignal
  /** Calls with the same object share a rate budget and credentials. */
  together?: object
}

/** A platform: a function that makes its source, with actions and documentation beside it. */
export interface Platform<Options extends PlatformOptions, Actions = Record<string, never>> {
  (options?: Options): Source
  readonly actions: Actions
  readonly docs: PlatformDocs
  readonly webhookTable?: WebhookTable
}

/** The table of what a platform sends by itself, told by what it holds; `undefined` for the one of all others. */
export type WebhookTable = (payload: Record<string, unknown>) => string | undefined

/** The parts that all five platforms declare alike. */
export class PlatformParts {
  readonly docs: PlatformDocs
  /** Where its settings stand: `[sources.<name>_source]`, or `[sources.<name>]`. */
  readonly place: { section: string; name: string }
  private readonly client: (options: PlatformOptions) => ClientSpec
  private readonly writers = new WeakMap<object, RestWriter>()

  constructor(docs: PlatformDocs, client: (options: PlatformOptions, parts: PlatformParts) => ClientSpec) {
    this.docs = docs
    this.place = { section: docs.name, name: `${docs.name}_source` }
    this.client = (options) => client(options, this)
  }

  baseUrl(options: PlatformOptions, standard: string): ConfigReference | string {
    return options.baseUrl ?? config('base_url', { fallback: standard })
  }

  rateLimit(options: PlatformOptions, standard?: number): Pick<ClientSpec, 'rateLimit'> {
    const requests = options.requestsPerMinute ?? standard
    return requests === undefined ? {} : { rateLimit: { requests, perSeconds: 60 } }
  }

  /** The start of the platform's REST spec. */
  spec(options: PlatformOptions): Pick<RestSourceSpec, 'name' | 'section' | 'client'> {
    return { ...this.place, client: this.client(options) }
  }

  /** Ids from the options or the configuration, as a resource that is not loaded itself. */
  ids(name: string, field: string, key: string, given: readonly string[] | undefined) {
    return configuredList(name, field, given ?? config(key, { optional: true }), this.place)
  }

  /** Settings as this platform's section has them. */
  setting(context: ResourceContext, reference: ConfigReference): unknown {
    return settingsOf(context.config, { root: 'sources', ...this.place }).value(reference)
  }

  /** Sends a write. Never repeated after it may have arrived: a message must not be sent twice. */
  post(path: string, body: Record<string, unknown>, options: ActionOptions): Promise<unknown> {
    const { together = {}, signal = new AbortController().signal } = options
    let writer = this.writers.get(together)
    if (writer === undefined) {
      writer = new RestWriter(this.client(options), this.place)
      this.writers.set(together, writer)
    }
    return writer.send({ path, body }, signal)
  }
}

/** Checks what a person typed into an action. */
export function requireText(action: string, input: Record<string, unknown>, names: readonly string[]): void {
  const missing = names.filter((name) => typeof input[name] !== 'string' || input[name] === '')
  if (missing.length === 0) return
  throw new PipelineError(`${action} needs ${missing.join(' and ')}`, {
    code: 'WRONG_USE',
    fix: `give ${missing.map((name) => `${name}: '…'`).join(', ')}`,
  })
}

export { config, secret }
