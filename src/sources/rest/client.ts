import { setTimeout as sleep } from 'node:timers/promises'
import { PipelineError } from '../../errors/index.ts'
import { parseJson, type ExtractEvent } from '../../extract/index.ts'
import { createAuth, fullAuth, type Auth, type Settings } from './auth/index.ts'
import { RateLimiter } from './rate-limiter.ts'
import { copyRequest, type RestRequest, type RestResponse } from './request.ts'
import { errorForStatus, notJson, requestName, requestFailed } from './http-errors.ts'
import type { AuthSpec, ClientSpec } from './spec.ts'

/** Who asks, and how to stop. */
export interface RequestContext {
  resource: string
  signal: AbortSignal
  emit(event: ExtractEvent): void
  /** A status that the source knows what to do with: asking again would only repeat it. */
  isFinal?(status: number): boolean
}

const redirectStatuses = new Set([301, 302, 303, 307, 308])
const maxRedirects = 10
const longestWaitMs = 300_000

/** Sends requests of one source: one rate budget, one set of credentials, retries, and no way out of its origin. */
export class RestClient {
  readonly baseUrl: string
  private readonly spec: ClientSpec
  private readonly settings: Settings
  private readonly limiter: RateLimiter
  private readonly origin: string
  /** Of `https://user:password@host`; sent as basic authentication, and shown nowhere. */
  private readonly login: AuthSpec | undefined
  private readonly auths = new Map<AuthSpec, Auth>()
  private readonly tokenOrigins = new Set<string>()

  constructor(spec: ClientSpec, settings: Settings) {
    this.spec = spec
    this.settings = settings
    const { url, login } = withoutLogin(settings.text(spec.baseUrl))
    this.baseUrl = url
    this.login = login
    this.origin = new URL(this.baseUrl).origin
    this.limiter = new RateLimiter(spec.rateLimit, spec.concurrency ?? 6)
  }

  get paginator(): ClientSpec['paginator'] {
    return this.spec.paginator
  }

  /** Headers of every request; a secret among them is looked up. */
  headers(): Record<string, string> {
    const entries = Object.entries(this.spec.headers ?? {})
    return Object.fromEntries(entries.map(([name, value]) => [name, this.settings.text(value)]))
  }

  /** Sends a request until it is answered well, the attempts are used up, or the error is final. */
  async send(request: RestRequest, auth: AuthSpec | null | undefined, context: RequestContext): Promise<RestResponse> {
    this.checkTarget(request.url)
    const { maxAttempts = 5 } = this.spec
    const credentials = this.auth(auth === undefined ? (this.spec.auth ?? this.login) : auth, context)
    let refreshed = false
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.attempt(request, credentials, context)
      if (outcome.response !== undefined) return outcome.response
      if (outcome.status === 401 && !refreshed && credentials?.refresh() === true) {
        refreshed = true
        continue
      }
      if (!outcome.retry || attempt >= maxAttempts) throw outcome.error(attempt)
      const ms = this.waitBefore(attempt, outcome.retryAfterMs)
      if (outcome.status === 429) this.limiter.pause(ms)
      context.emit({ type: 'wait', resource: context.resource, reason: 'retry', ms, detail: outcome.reason })
      await sleep(ms, undefined, { signal: context.signal })
    }
  }

  private auth(spec: AuthSpec | null | undefined, context: RequestContext): Auth | undefined {
    if (spec === null || spec === undefined) return undefined
    let auth = this.auths.get(spec)
    if (auth === undefined) {
      auth = createAuth(fullAuth(spec), this.settings, this.baseUrl, (request) => {
        // Where tokens come from is said by the source, not by an answer.
        this.tokenOrigins.add(request.url.origin)
        return this.send(request, null, context)
      })
      this.auths.set(spec, auth)
    }
    return auth
  }

  private async attempt(request: RestRequest, auth: Auth | undefined, context: RequestContext): Promise<Outcome> {
    const onWait = (ms: number): void => {
      const { rateLimit } = this.spec
      const detail =
        rateLimit === undefined ? 'asked by the server' : `${rateLimit.requests} per ${rateLimit.perSeconds} s`
      context.emit({ type: 'wait', resource: context.resource, reason: 'rate limit', ms, detail })
    }
    // A token may have to be fetched first; that request must not wait for its own slot.
    const prepared = copyRequest(request)
    if (this.isOwn(prepared.url)) await auth?.apply(prepared)
    const begun = performance.now()
    try {
      const answer = await this.limiter.run(() => this.fetchFollowing(prepared, context.signal), context.signal, onWait)
      context.emit({
        type: 'request',
        resource: context.resource,
        status: answer.status,
        ms: performance.now() - begun,
      })
      return this.judge(answer, request, auth, context)
    } catch (error) {
      context.signal.throwIfAborted()
      if (error instanceof PipelineError) throw error
      return {
        retry: true,
        reason: networkReason(error),
        error: (attempts) => requestFailed(request, context.resource, networkReason(error), attempts, error),
      }
    }
  }

  private judge(answer: RawAnswer, request: RestRequest, auth: Auth | undefined, context: RequestContext): Outcome {
    const { status, headers, text, url } = answer
    const { resource } = context
    if (status >= 400) {
      const passes =
        status === 429 || status === 408 || status >= 500 || (this.spec.retryStatuses ?? []).includes(status)
      const retry = passes && context.isFinal?.(status) !== true
      return {
        retry,
        status,
        reason: `HTTP ${status}`,
        retryAfterMs: retryAfter(headers.get('retry-after')),
        error: (attempts) => errorForStatus({ request, status, text, resource, attempts, auth }),
      }
    }
    if (status === 204 || text.trim() === '') return { response: { status, headers, body: [], text, url } }
    try {
      return { response: { status, headers, body: parseJson(text), text, url } }
    } catch (error) {
      return {
        retry: true,
        reason: 'the answer is not JSON',
        error: (attempts) =>
          notJson(request, resource, headers.get('content-type') ?? 'no content type', text, attempts, error),
      }
    }
  }

  /** Follows redirects by hand: `fetch` would carry keys in custom headers to any host. */
  private async fetchFollowing(request: RestRequest, signal: AbortSignal): Promise<RawAnswer> {
    let { url, method, headers } = request
    let body = request.data?.text ?? (request.body === undefined ? null : JSON.stringify(request.body))
    const contentType = request.data === undefined ? 'application/json' : request.data.contentType
    const timeout = AbortSignal.timeout(this.spec.timeoutMs ?? 60_000)
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const response = await fetch(url, {
        method,
        headers: {
          accept: 'application/json',
          ...(body === null || contentType === undefined ? {} : { 'content-type': contentType }),
          ...headers,
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([signal, timeout]),
      })
      const location = response.headers.get('location')
      if (!redirectStatuses.has(response.status) || location === null) {
        return { status: response.status, headers: response.headers, url, text: await this.readText(response, url) }
      }
      await response.body?.cancel()
      const target = new URL(location, url)
      this.checkTarget(target)
      if (target.origin !== url.origin) headers = {}
      if (response.status < 307 && method === 'POST') [method, body] = ['GET', null]
      url = target
    }
    throw new PipelineError(`${requestName(request)} was redirected more than ${maxRedirects} times`, {
      code: 'HTTP_FAILED',
      fix: 'check the base URL: the server sends the request in circles',
    })
  }

  private async readText(response: Response, url: URL): Promise<string> {
    const limit = this.spec.maxResponseBytes ?? 256 * 1024 * 1024
    const chunks: Uint8Array[] = []
    let bytes = 0
    // Counts decoded bytes: a few kilobytes on the wire can be gigabytes here.
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length
      if (bytes > limit) {
        throw new PipelineError(`${url.origin}${url.pathname} sent more than ${limit} bytes in one answer`, {
          code: 'HTTP_TOO_LARGE',
          fix: 'ask for smaller pages, or raise maxResponseBytes of the client',
        })
      }
      chunks.push(chunk)
    }
    const charset = /charset="?([\w-]+)/i.exec(response.headers.get('content-type') ?? '')?.[1]
    return decode(Buffer.concat(chunks), charset)
  }

  /** Only the API's own origin, and hosts that the source allows, are ever asked. */
  private checkTarget(url: URL): void {
    if (this.isOwn(url) || this.tokenOrigins.has(url.origin)) return
    const allowed = this.spec.allowedHosts?.includes(url.host) === true && /^https?:$/.test(url.protocol)
    if (allowed) return
    throw new PipelineError(`the API led to ${url.protocol}//${url.host}, which is not its own host (${this.origin})`, {
      code: 'LINK_FORBIDDEN',
      fix: `if that host is right, allow it: client.allowedHosts: ['${url.host}']; it gets no credentials`,
    })
  }

  private isOwn(url: URL): boolean {
    return url.origin === this.origin
  }

  private waitBefore(attempt: number, retryAfterMs: number | undefined): number {
    const backoff = (this.spec.backoffMs ?? 1000) * 2 ** (attempt - 1)
    // Jitter keeps several clients from coming back at the same moment.
    const jittered = backoff * (0.75 + Math.random() / 2)
    return Math.min(retryAfterMs === undefined || retryAfterMs <= 0 ? jittered : retryAfterMs, longestWaitMs)
  }
}

/** Takes user and password out of an address: `fetch` refuses them there, and messages would show them. */
function withoutLogin(text: string): { url: string; login: AuthSpec | undefined } {
  const match = /^(https?:\/\/)([^/?#@]*)@(.*)$/is.exec(text)
  if (match === null) return { url: text, login: undefined }
  const [user = '', ...rest] = match[2]!.split(':')
  const [username, password] = [decodeURIComponent(user), decodeURIComponent(rest.join(':'))]
  return { url: `${match[1]}${match[3]}`, login: { type: 'http_basic', username, password } }
}

interface RawAnswer {
  status: number
  headers: Headers
  text: string
  url: URL
}

type Outcome =
  | { response: RestResponse }
  | {
      response?: undefined
      retry: boolean
      status?: number
      reason: string
      retryAfterMs?: number | undefined
      error(attempts: number): PipelineError
    }

/** Seconds or an HTTP date, in milliseconds. */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}

function networkReason(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } }
  if (name === 'TimeoutError') return 'no answer in time'
  return cause?.code ?? cause?.message ?? message
}

function decode(bytes: Uint8Array, charset: string | undefined): string {
  try {
    return new TextDecoder(charset ?? 'utf-8').decode(bytes)
  } catch {
    return new TextDecoder().decode(bytes)
  }
}
