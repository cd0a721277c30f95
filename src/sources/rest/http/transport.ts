import { Agent, EnvHttpProxyAgent, fetch, ProxyAgent, request as send, type Dispatcher } from 'undici'
import type { SourceEgress } from '../../../egress/index.ts'
import { addSecret, PipelineError } from '../../../errors/index.ts'
import { timerMs } from '../../../timers/index.ts'
import { bodyText, type RestRequest } from '../request.ts'
import type { ClientSpec } from '../spec.ts'
import { requestName, unsendable } from './http-errors.ts'

/** An answer whose body has not been read yet. */
export interface RawAnswer {
  status: number
  headers: Headers
  url: URL
  body: AsyncIterable<Uint8Array>
  /** Ends the reading; nothing else is sent. */
  cancel(): Promise<void>
}

const redirectStatuses = new Set([301, 302, 303, 307, 308])
const maxRedirects = 10
const minute = 60_000

export interface TransportOptions {
  /** @default the environment's */
  proxy: string | undefined
  egress: SourceEgress
  /** Throws for an address that must not be asked. */
  checkTarget: (url: URL, request: RestRequest) => void
}

/** Sends one request over connections that are kept, through the environment's proxy, and follows redirects. */
export class Transport {
  private readonly spec: ClientSpec
  private readonly dispatcher: Dispatcher
  private readonly checkTarget: (url: URL, request: RestRequest) => void
  private readonly egress: SourceEgress
  private readonly proxy: URL | undefined

  constructor(spec: ClientSpec, { proxy, egress, checkTarget }: TransportOptions) {
    this.spec = spec
    this.dispatcher = dispatcherFor(spec, proxy, egress)
    this.proxy = proxy === undefined ? undefined : new URL(proxy)
    this.egress = egress
    this.checkTarget = checkTarget
  }

  /** Follows redirects by hand: `fetch` would carry keys in custom headers to any host. */
  async fetch(
    request: RestRequest,
    signal: AbortSignal,
    timeoutMs = this.spec.timeoutMs ?? minute,
  ): Promise<RawAnswer> {
    let { url, method, headers } = request
    let body = checkedBody(request)
    checkHeaders(request)
    const contentType = request.data === undefined ? 'application/json' : request.data.contentType
    const timeout = AbortSignal.timeout(timerMs(timeoutMs))
    // A proxy sees what it passes on.
    if (this.proxy !== undefined) await this.egress.check(this.proxy)
    for (let hop = 0; hop <= maxRedirects; hop++) {
      const wait = this.egress.check(url)
      if (wait !== undefined) await wait
      const options = {
        headers: {
          accept: 'application/json, */*;q=0.5',
          ...(body === null || contentType === undefined ? {} : { 'content-type': contentType }),
          ...headers,
        },
        body,
        signal: AbortSignal.any([signal, timeout]),
        dispatcher: this.dispatcher,
      }
      const response =
        method === 'GET' && body !== null
          ? await getWithBody(url, options)
          : await fetch(url, { ...options, method, redirect: 'manual' })
      const location = response.headers.get('location')
      if (!redirectStatuses.has(response.status) || location === null) {
        return {
          status: response.status,
          headers: response.headers as unknown as Headers,
          url,
          body: (response.body ?? []) as AsyncIterable<Uint8Array>,
          cancel: async () => void (await response.body?.cancel()),
        }
      }
      await response.body?.cancel()
      const target = new URL(location, url)
      this.checkTarget(target, request)
      if (response.status < 307 && (method === 'POST' || response.status === 303)) [method, body] = ['GET', null]
      if (target.origin !== url.origin) {
        if (request.isLogin === true || body !== null) throw keepsToItsOrigin(request, target)
        headers = {}
      }
      url = target
    }
    throw new PipelineError(`${requestName(request)} was redirected more than ${maxRedirects} times`, {
      code: 'HTTP_FAILED',
      fix: 'check the base URL: the server sends the request in circles',
    })
  }
}

/** A login and a body are for who was asked: sent on, another host would read them; sent without, the request means nothing. */
const keepsToItsOrigin = (request: RestRequest, { origin }: URL): PipelineError =>
  new PipelineError(
    `${requestName(request)} was redirected to ${origin}; ${request.isLogin === true ? 'a login' : 'a request with a body'} is sent to no other origin`,
    {
      code: 'LINK_FORBIDDEN',
      fix: 'if that origin is right, name it in the source: in the base URL, or as a full address',
    },
  )

interface SendOptions {
  headers: Record<string, string>
  body: string | null
  signal: AbortSignal
  dispatcher: Dispatcher
}

/** `fetch` refuses a GET with a body, which search APIs ask for. Sent without it, the server would answer another question. */
async function getWithBody(url: URL, { headers, ...options }: SendOptions) {
  const {
    statusCode,
    headers: received,
    body,
  } = await send(url, {
    ...options,
    method: 'GET',
    // Nothing unpacks the response here.
    headers: { ...headers, 'accept-encoding': 'identity' },
  })
  const named = Object.entries(received).flatMap(([name, value]) => [value ?? []].flat().map((one) => [name, one]))
  return {
    status: statusCode,
    headers: new Headers(named as [string, string][]),
    body: Object.assign(body, { cancel: () => body.dump() }),
  }
}

function checkedBody(request: RestRequest): string | null {
  try {
    return bodyText(request)
  } catch (error) {
    throw unsendable(request, 'its body cannot be written as JSON', error)
  }
}

function checkHeaders(request: RestRequest): void {
  for (const [name, value] of Object.entries(request.headers)) {
    const shown = JSON.stringify(name)
    if (!/^[!#$%&'*+.^`|~\w-]+$/.test(name)) throw unsendable(request, `${shown} is an invalid header name`)
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value.trim()))
      throw unsendable(request, `its header ${shown} has a value that HTTP does not allow`)
  }
}

/** The whole of an answer. Counts decoded bytes: a few kilobytes on the wire can be gigabytes here. */
export async function readBytes({ body, url }: RawAnswer, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of limited(body, limit, url)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export const tooLarge = ({ origin, pathname }: Pick<URL, 'origin' | 'pathname'>, limit: number): PipelineError =>
  new PipelineError(`${origin}${pathname} sent more than ${limit} bytes in one answer`, {
    code: 'HTTP_TOO_LARGE',
    fix: 'ask for smaller pages, or raise maxResponseBytes of the client',
  })

/** Passes bytes on until there are too many. */
export async function* limited(
  body: AsyncIterable<Uint8Array>,
  limit: number,
  { origin, pathname }: URL,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > limit) throw tooLarge({ origin, pathname }, limit)
    yield chunk
  }
}

function dispatcherFor(spec: ClientSpec, proxy: string | undefined, { lookup }: SourceEgress): Dispatcher {
  const { timeoutMs = minute } = spec
  const resolve = lookup === undefined ? {} : { lookup }
  const options: Agent.Options = {
    // The connection is shared by many streams where the server speaks HTTP/2.
    allowH2: true,
    connect: { timeout: timerMs(spec.connectTimeoutMs ?? 10_000), ...resolve },
    headersTimeout: timerMs(spec.headersTimeoutMs ?? timeoutMs),
    bodyTimeout: timerMs(spec.bodyTimeoutMs ?? 30_000),
  }
  if (proxy !== undefined) {
    hideLogin(proxy)
    return new ProxyAgent({ ...options, uri: proxy, proxyTls: resolve })
  }
  const named = environmentProxies()
  if (named.length === 0) return new Agent(options)
  for (const one of named) hideLogin(one)
  return new EnvHttpProxyAgent(options)
}

export const environmentProxies = (): string[] =>
  ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY']
    .flatMap((name) => process.env[name] ?? [])
    .filter((one) => one !== '')

/** A proxy's password must not show up in an error. */
function hideLogin(proxy: string): void {
  const password = /^\w+:\/\/[^/@]*?:([^/@]+)@/.exec(proxy)?.[1]
  if (password !== undefined) addSecret(decodeURIComponent(password))
}
