import { SourceEgress } from '../../egress/index.ts'
import { PipelineError, redact } from '../../errors/index.ts'
import type { ExtractEvent } from '../../extract/index.ts'
import { percentDecoded } from '../../masking/index.ts'
import { sleepFor } from '../../timers/index.ts'
import type { AuthSpec } from './auth/auth-spec.ts'
import { createAuth, fullAuth, rememberGranted, type Auth, type Refused, type Settings } from './auth/index.ts'
import { decode, isUnreadable, NotInFormat, UnreadableLine, type FormatOptions } from './formats/index.ts'
import { exchangeOf } from './http/exchange.ts'
import { hideLiterals } from './hide-literals.ts'
import {
  actionFailed,
  errorForStatus,
  errorInBody,
  notAPage,
  notInFormat,
  requestFailed,
  unsendable,
} from './http/http-errors.ts'
import { longestStatedWaitMs, waitText } from './http/longest-wait.ts'
import { RateLimiter } from './http/rate-limiter.ts'
import { sharedBudget } from './http/shared-budget.ts'
import { serverLimit, statedWaitMs } from './http/rate-headers.ts'
import { environmentProxies, Transport } from './http/transport.ts'
import { copyRequest, discardRows, type RestRequest, type RestResponse } from './request.ts'
import { RequestTargets } from './request-targets.ts'
import type { Judge } from './response-actions.ts'
import type { ClientSpec } from './spec.ts'

/** Who asks, what for, and how to stop. */
export interface RequestContext {
  resource: string
  signal: AbortSignal
  emit(event: ExtractEvent): void
  /** What the source says about an answer before anything else is done with it. */
  judge?: Judge
  /** A write: repeated only when the server has certainly not acted on it. */
  once?: boolean
  /** @default by the content type */
  format?: FormatOptions
}

/** The source says to go on without the answer. */
export interface Skipped {
  skipped: 'ignore' | 'skip_parent'
  status: number
}
export const isSkipped = (answer: RestResponse | Skipped): answer is Skipped => 'skipped' in answer

const longestBackoffMs = 300_000
const downloadMs = 3_600_000

/** Sends requests of one source: one rate budget, one set of credentials, retries, and no way out of its origin. */
export class RestClient {
  readonly baseUrl: string
  readonly spec: ClientSpec
  private readonly settings: Settings
  private readonly limiter: RateLimiter
  private readonly transport: Transport
  /** Where its requests may go. */
  readonly targets: RequestTargets
  /** Of `https://user:password@host`; sent as basic authentication, and shown nowhere. */
  private readonly login: AuthSpec | undefined
  private readonly auths = new Map<unknown, Auth>()

  /** `isFile`: the source is a file, not code. */
  constructor(spec: ClientSpec, settings: Settings, { isFile = false }: { isFile?: boolean } = {}) {
    this.spec = spec
    this.settings = settings
    hideLiterals(spec)
    const { url, login } = withoutLogin(settings.text(spec.baseUrl))
    this.baseUrl = url
    this.login = login
    const origin = originOf(this.baseUrl)
    this.targets = new RequestTargets(origin, spec.allowedHosts ?? [], settings.secrets)
    this.limiter = new RateLimiter(spec.rateLimit, this.concurrency, { shared: sharedBudget(origin) })
    const proxy = spec.proxy === undefined ? undefined : settings.text(spec.proxy)
    const egress = new SourceEgress({
      found: settings.found,
      baseUrl: url,
      isBuiltIn: settings.isDefault(spec.baseUrl),
      isFile,
      byProxy: proxy !== undefined || environmentProxies().length > 0,
    })
    this.transport = new Transport(spec, {
      proxy,
      egress,
      checkTarget: (target, request) => this.targets.check(target, request),
    })
  }

  get concurrency(): number {
    return this.spec.concurrency ?? 6
  }

  /** Headers of every request; a secret among them is looked up. */
  headers(): Record<string, string> {
    const entries = Object.entries(this.spec.headers ?? {})
    return Object.fromEntries(entries.map(([name, value]) => [name, this.textOf(value)]))
  }

  /** A text, or what is looked up for it. */
  textOf(value: unknown): string {
    return this.settings.isReference(value) ? this.settings.text(value) : String(value)
  }

  /** Without rules of an endpoint no answer is skipped. */
  send(
    request: RestRequest,
    auth: ClientSpec['auth'] | null,
    context: Omit<RequestContext, 'judge'>,
  ): Promise<RestResponse>
  send(request: RestRequest, auth: ClientSpec['auth'] | null, context: RequestContext): Promise<RestResponse | Skipped>
  /** Sends a request until it is answered well, the attempts are used up, or the error is final. */
  async send(
    request: RestRequest,
    auth: ClientSpec['auth'] | null,
    context: RequestContext,
  ): Promise<RestResponse | Skipped> {
    this.targets.check(request.url, request)
    const { maxAttempts = 5 } = this.spec
    const standard = request.home === undefined ? (this.spec.auth ?? this.login) : undefined
    const credentials = this.auth(auth === undefined ? standard : auth, context)
    let refreshed = false
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.attempt(request, credentials, context)
      if ('answer' in outcome) return outcome.answer
      if (outcome.refused !== undefined && !refreshed && credentials?.refresh(outcome.refused) === true) {
        refreshed = true
        continue
      }
      const mayRepeat = outcome.retry && (context.once !== true || outcome.unseen === true)
      const { statedMs = 0 } = outcome
      if (mayRepeat && statedMs > longestStatedWaitMs) throw asksToWait(outcome.error(attempt), statedMs)
      if (!mayRepeat || attempt >= maxAttempts) throw outcome.error(attempt)
      const ms = this.waitBefore(attempt, statedMs)
      if (outcome.pausesAll === true) this.limiter.pause(ms)
      context.emit({ type: 'wait', resource: context.resource, reason: 'retry', ms, detail: redact(outcome.reason) })
      await sleepFor(ms, context.signal)
    }
  }

  /** Sends credentials for a token. Where tokens come from is said by the source, not by a response. */
  logIn(request: RestRequest, context: Omit<RequestContext, 'judge'>): Promise<RestResponse> {
    return this.send({ ...request, home: this.targets.foreign(request.url.origin), isLogin: true }, null, context)
  }

  private auth(spec: ClientSpec['auth'] | null, context: RequestContext): Auth | undefined {
    if (spec === null || spec === undefined) return undefined
    let auth = this.auths.get(spec)
    if (auth === undefined) {
      auth = createAuth(fullAuth(spec), this.settings, this.baseUrl, (request) => {
        // Without the rules of the endpoint: nothing is skipped here.
        const { resource, signal, emit } = context
        return this.logIn(request, { resource, signal, emit })
      })
      this.auths.set(spec, auth)
    }
    return auth
  }

  private async attempt(request: RestRequest, auth: Auth | undefined, context: RequestContext): Promise<Outcome> {
    const { resource, signal, emit } = context
    const { rateLimit } = this.spec
    const detail =
      rateLimit === undefined ? 'asked by the server' : `${rateLimit.requests} per ${rateLimit.perSeconds} s`
    const onWait = (ms: number): void => emit({ type: 'wait', resource, reason: 'rate limit', ms, detail })
    // A token may have to be fetched first; that request must not wait for its own slot.
    const prepared = copyRequest(request)
    this.targets.withhold(prepared)
    if (this.targets.isOwn(prepared)) await auth?.apply(prepared)
    try {
      return await this.limiter.run(() => this.exchange(request, prepared, auth, context), { resource, signal, onWait })
    } catch (error) {
      // A write that broke while its run was asked to end may have arrived all the same.
      if (context.once === undefined) signal.throwIfAborted()
      if (error instanceof PipelineError || (error as Error).name === 'AbortError') throw error
      const { cause } = error as Error
      if (cause instanceof PipelineError) throw cause
      const reason = networkReason(error)
      if (cannotBeSent.test(reason)) throw unsendable(request, reason, error)
      const failed = (attempts: number): PipelineError => requestFailed(request, resource, reason, attempts, error)
      return { retry: true, unseen: neverArrived.test(reason), reason, error: failed }
    }
  }

  /** One request and its whole answer. */
  private async exchange(
    request: RestRequest,
    prepared: RestRequest,
    auth: Auth | undefined,
    context: RequestContext,
  ): Promise<Outcome> {
    const { resource, signal, emit, format } = context
    const startedAt = performance.now()
    const isDownload = format?.format === 'jsonl' || format?.format === 'csv'
    const raw = await this.transport.fetch(
      prepared,
      // A write that is on its way is waited for: broken off, nobody would know whether it has arrived.
      context.once === undefined ? signal : new AbortController().signal,
      this.spec.timeoutMs ?? (isDownload ? downloadMs : undefined),
    )
    const limit = serverLimit(raw.headers)
    if (limit !== undefined) this.limiter.report(limit)
    let text = ''
    try {
      const response = await decode(raw, format, this.spec.maxResponseBytes)
      text = response.text
      // What is granted is a secret before anything is told of it.
      if (request.isLogin === true) rememberGranted(response)
      return await this.judgeOf(response, { request, prepared, auth }, context)
    } catch (error) {
      // A write that was taken: what it answers is for people.
      if (context.once !== undefined && isUnreadable(error))
        return { answer: { status: raw.status, headers: raw.headers, url: raw.url, text, body: undefined } }
      if (error instanceof UnreadableLine) return { retry: true, reason: error.summary, error: () => error }
      if (!(error instanceof NotInFormat)) throw error
      return {
        retry: true,
        reason: error.message,
        error: (attempts) => notInFormat(request, resource, raw.headers.get('content-type'), error, attempts),
      }
    } finally {
      const { method, url } = request
      const ms = performance.now() - startedAt
      emit({
        type: 'request',
        resource,
        method,
        url: redact(`${url.origin}${url.pathname}`),
        status: raw.status,
        ms,
        exchange: () => exchangeOf(prepared, raw.headers, text),
      })
    }
  }

  /** The verdict on a response, whose rows are closed where they are not its outcome. */
  private async judgeOf(response: RestResponse, sent: Sent, context: RequestContext): Promise<Outcome> {
    let isKept = false
    try {
      const outcome = this.judge(response, sent, context)
      isKept = 'answer' in outcome && !isSkipped(outcome.answer) && outcome.answer.rows === response.rows
      return outcome
    } finally {
      if (!isKept) await discardRows(response)
    }
  }

  private judge(response: RestResponse, { request, prepared, auth }: Sent, context: RequestContext): Outcome {
    const verdict = context.judge?.(response)
    if (verdict !== undefined && 'response' in verdict) return { answer: verdict.response }
    const { status, headers, text } = response
    const { resource } = context
    if (verdict !== undefined && 'fault' in verdict) {
      const { fault } = verdict
      const error = (attempts: number): PipelineError => notAPage({ request, status, resource, fault, attempts })
      return { retry: true, reason: `HTTP ${status} with ${fault}`, statedMs: statedWaitMs(headers, status), error }
    }
    const refused = { request: prepared, headers }
    if (verdict !== undefined && 'refused' in verdict) {
      const { refused: stated, said } = verdict
      return this.errorOutcome(stated, refused, (attempts) =>
        errorInBody({ request, status, stated, said, resource, attempts, auth }),
      )
    }
    const failed = (attempts: number): PipelineError =>
      verdict !== undefined
        ? actionFailed(request, resource, status, verdict.message, attempts)
        : errorForStatus({ request, status, text, resource, attempts, auth })
    switch (verdict?.action) {
      case 'accept':
        return { answer: response }
      case 'ignore':
      case 'skip_parent':
        return { answer: { skipped: verdict.action, status } }
      case 'fail':
        return { retry: false, reason: 'the source says so', error: failed }
      case 'refresh_auth':
        return { retry: false, refused, reason: 'the source asks for new credentials', error: failed }
      case 'retry': {
        const statedMs = statedWaitMs(headers, status)
        return { retry: true, reason: `HTTP ${status}`, statedMs, pausesAll: status === 429, error: failed }
      }
      case undefined:
        return status < 300 ? { answer: response } : this.errorOutcome(status, refused, failed)
    }
  }

  private errorOutcome(status: number, refused: Refused, error: (attempts: number) => PipelineError): Outcome {
    const { headers } = refused
    // GitHub answers 403 when its limit is used up, and says so in the headers.
    const limited =
      status === 429 || (status === 403 && (headers.has('retry-after') || serverLimit(headers)?.remaining === 0))
    // A redirect without an address, and "not modified", which no request of ours asks for.
    const isAstray = status >= 300 && status < 400
    const passes =
      limited || isAstray || status === 408 || status >= 500 || (this.spec.retryStatuses ?? []).includes(status)
    return {
      retry: passes,
      ...(status === 401 ? { refused } : {}),
      reason: `HTTP ${status}`,
      statedMs: statedWaitMs(headers, status),
      pausesAll: limited,
      unseen: limited,
      error,
    }
  }

  private waitBefore(attempt: number, statedMs: number): number {
    if (statedMs > 0) return statedMs
    const backoff = (this.spec.backoffMs ?? 1000) * 2 ** (attempt - 1)
    // Jitter keeps several clients from coming back at the same moment.
    return Math.min(backoff * (0.75 + Math.random() / 2), longestBackoffMs)
  }
}

interface Sent {
  request: RestRequest
  /** With credentials. */
  prepared: RestRequest
  auth: Auth | undefined
}

type Outcome =
  | { answer: RestResponse | Skipped }
  | {
      retry: boolean
      /** The server has not acted on the request. */
      unseen?: boolean
      /** The credentials are refused. */
      refused?: Refused
      reason: string
      /** The server says how long. */
      statedMs?: number | undefined
      /** The wait holds for all requests of the client. */
      pausesAll?: boolean
      error(attempts: number): PipelineError
    }

/** Reasons that lie in the request itself: another attempt meets them again. */
const cannotBeSent =
  /^(ERR_INVALID_(URL|CHAR|ARG_\w+)|UND_ERR_(INVALID_ARG|NOT_SUPPORTED|REQ_CONTENT_LENGTH_MISMATCH))$/

/** There was no connection over which it could have. */
const neverArrived = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/

/** Longer than anybody sits there; a further run may come then. */
function asksToWait({ summary, code, resource, cause }: PipelineError, ms: number): PipelineError {
  return new PipelineError(`${summary}; it asks to wait ${waitText(ms)}`, {
    code,
    recovery: 'retry',
    fix: 'run again then, or ask the platform what has used the limit up',
    cause,
    ...(resource === undefined ? {} : { resource }),
  })
}

/** Takes user and password out of an address: they are sent as a header, and messages would show them. */
function withoutLogin(text: string): { url: string; login: AuthSpec | undefined } {
  const match = /^(https?:\/\/)([^/?#@]*)@(.*)$/is.exec(text)
  if (match === null) return { url: text, login: undefined }
  const [user = '', ...rest] = match[2]!.split(':')
  const [username, password] = [percentDecoded(user), percentDecoded(rest.join(':'))]
  return { url: `${match[1]}${match[3]}`, login: { type: 'http_basic', username, password } }
}

function originOf(baseUrl: string): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url.origin
  throw new PipelineError(`the base URL ${JSON.stringify(baseUrl)} is not an address of HTTP`, {
    code: 'SOURCE_INVALID',
    fix: 'a base URL begins with https://',
  })
}

function networkReason(error: unknown): string {
  const { name, message, code, cause } = error as NodeJS.ErrnoException & { cause?: { code?: string } }
  if (name === 'TimeoutError') return 'no answer in time'
  return (typeof code === 'string' ? code : cause?.code) ?? message
}
