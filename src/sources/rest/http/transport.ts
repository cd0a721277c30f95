import { Agent, EnvHttpProxyAgent, ProxyAgent, request as send, type Dispatcher } from 'undici'
import type { SourceEgress } from '../../../egress/index.ts'
import { addSecret, PipelineError } from '../../../errors/index.ts'
import { percentDecoded } from '../../../masking/index.ts'
import { timerMs } from '../../../timers/index.ts'
import { bodyText, type RestRequest } from '../request.ts'
import type { ClientSpec } from '../spec.ts'
import { blockedPorts } from './blocked-ports.ts'
import { acceptedCodings, withoutCodings } from './content-coding.ts'
import { requestName, unsendable } from './http-errors.ts'

/** An answer whose body has not been read yet. */
export interface RawAnswer {
  status: number
  headers: Headers
  url: URL
  /** Unpacked as far as `Content-Encoding` says. Throws `NotInFormat` where that is not whole. */
  body: AsyncIterable<Uint8Array>
  /** Ends what is done with the body, too. */
  signal: AbortSignal
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

  /** Follows redirects by hand: keys in custom headers must not reach any other host. */
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
      if (blockedPorts.has(url.port)) throw unsendable(request, `port ${url.port} belongs to another protocol`)
      const response = await send(url, {
        method,
        headers: {
          ...standardHeaders,
          'accept-encoding': acceptedCodings(url),
          ...(body === null || contentType === undefined ? {} : { 'content-type': contentType }),
          ...lowerCased(headers),
        },
        body,
        signal: AbortSignal.any([signal, timeout]),
        dispatcher: this.dispatcher,
      })
      // The reader of the body gets its errors. Without a listener, an error after the last read ends the process.
      response.body.on('error', () => undefined)
      const received = headersOf(response.headers)
      const { statusCode: status } = response
      const location = received.get('location')
      if (!redirectStatuses.has(status) || location === null || !URL.canParse(location, url.href)) {
        // Servers name a coding for a response without a body, too.
        const content = status === 204 ? response.body : withoutCodings(response.body, received)
        return { status, headers: received, url, body: content, signal }
      }
      await response.body.dump()
      const target = new URL(location, url)
      this.checkTarget(target, request)
      if (status < 307 && (method === 'POST' || status === 303)) [method, body] = ['GET', null]
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

const standardHeaders = { accept: 'application/json, */*;q=0.5', 'accept-language': '*', 'user-agent': 'undici' }

/** A header of the source takes the place of the standard one, however either is spelled. */
const lowerCased = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.trim()]))

function headersOf(received: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers()
  for (const [name, values] of Object.entries(received)) {
    for (const value of [values ?? []].flat()) headers.append(name, value)
  }
  return headers
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
  if (password !== undefined) addSecret(percentDecoded(password))
}
