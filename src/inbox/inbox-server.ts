import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PipelineError } from '../index.ts'
import { inboxSourceName } from './inbox-source.ts'
import { InboxWriter } from './inbox-store.ts'
import { shapeProblem } from './payload-shape.ts'

/** A name under which payloads are received, and the part of the address that only its sender knows. */
export interface Hook {
  name: string
  secret: string
}

export interface InboxServerOptions {
  hooks: readonly Hook[]
  /** @default 8787 */
  port?: number
  /** @default '127.0.0.1': behind a proxy that speaks TLS */
  host?: string
  /** Larger payloads are refused. @default 1 MiB */
  maxBytes?: number
  /** Told of every request that was answered: never its payload. */
  onRequest?(request: { name: string | undefined; status: number; bytes: number }): void
  /**
   * Told at the start of each inbox that another process receives, by `PIPELINE_BUSY`. Its payloads are refused with 503
   * until that process has ended.
   */
  onBusy?(error: PipelineError): void
}

export interface InboxServer {
  url: string
  close(): Promise<void>
}

/**
 * Answers `POST /hooks/<name>/<secret>` once the payload is on disk: 200. One that could not be loaded is refused: 422.
 */
export async function serveInbox(options: InboxServerOptions): Promise<InboxServer> {
  const { hooks, port = 8787, host = '127.0.0.1', maxBytes = 1024 * 1024, onRequest, onBusy } = options
  requireOwnSources(hooks.map(({ name }) => name))
  const writers = new InboxWriters()
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let answered: Answered = { name: undefined, status: 503, bytes: 0 }
    try {
      answered = await receive(request, response, { hooks, writers, maxBytes })
    } catch {
      // The disk refused it, another process receives here, or the sender has gone: it sends again what was not acknowledged.
    }
    answer(response, answered)
    const { name, status, bytes } = answered
    onRequest?.({ name, status, bytes })
  }
  // A sender that dawdles must not keep others waiting.
  server.requestTimeout = 30_000
  server.headersTimeout = 10_000
  await new Promise<void>((resolve, reject) => {
    // Also later: a connection that cannot be taken, for want of descriptors, must not end the process.
    server.on('error', (cause: Error) =>
      reject(
        new PipelineError(`the inbox cannot use port ${port}: ${cause.message}`, {
          code: 'WRONG_USE',
          fix: 'choose another one: --port 8788',
          cause,
        }),
      ),
    )
    server.listen(port, host, resolve)
  })
  for (const { name } of hooks) {
    try {
      writers.of(name)
    } catch (error) {
      if (!(error instanceof PipelineError) || error.code !== 'PIPELINE_BUSY') {
        server.close()
        await writers.close()
        throw error
      }
      onBusy?.(error)
    }
  }
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      })
      await writers.close()
    },
  }
}

/** Refuses names whose inboxes are one source: rows of both would be in one table. */
function requireOwnSources(names: readonly string[]): void {
  for (const [source, [first, second]] of Map.groupBy(new Set(names), inboxSourceName)) {
    if (second === undefined) continue
    throw new PipelineError(`inboxes "${first}" and "${second}" are one source: "${source}"`, {
      code: 'WRONG_USE',
      fix: `receive one of them by a name that differs in more than - and _. Run inbox:${first} and inbox:${second} to load what they have received`,
    })
  }
}

/** A writer of an inbox is opened as soon as no other process has one. */
class InboxWriters {
  private readonly open = new Map<string, InboxWriter>()

  /** Throws `PIPELINE_BUSY` while another process receives. */
  of(name: string): InboxWriter {
    let writer = this.open.get(name)
    if (writer === undefined) this.open.set(name, (writer = new InboxWriter(name)))
    return writer
  }

  async close(): Promise<void> {
    for (const writer of this.open.values()) await writer.close()
  }
}

interface Answered {
  name: string | undefined
  status: number
  bytes: number
  /** Why a payload is refused, for its sender. */
  reason?: string
}

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  { hooks, writers, maxBytes }: { hooks: readonly Hook[]; writers: InboxWriters; maxBytes: number },
): Promise<Answered> {
  // `//` is a path to HTTP, and no URL.
  const [, first, name = '', secret = ''] = URL.parse(request.url ?? '/', 'http://localhost')?.pathname.split('/') ?? []
  const hook = hooks.find((one) => one.name === name)
  // One answer for a wrong name and a wrong secret: neither can be found out.
  if (first !== 'hooks' || !isEqual(secret, hook?.secret ?? '-') || hook === undefined)
    return refuse(request, response, undefined, 404)
  if (request.method !== 'POST') return refuse(request, response, name, 405)
  const body = await bodyOf(request, maxBytes)
  if (body === undefined) return refuse(request, response, name, 413)
  const payload = jsonOf(body, request.headers['content-type'] ?? '')
  if (payload === undefined) return { name, status: 400, bytes: body.length }
  const problem = shapeProblem(payload.value)
  if (problem !== undefined) return { name, status: 422, bytes: body.length, reason: `the payload ${problem}` }
  await writers.of(name).add(payload.text, new Date())
  return { name, status: 200, bytes: body.length }
}

/** What is still coming is not read. */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  name: string | undefined,
  status: number,
): Answered {
  response.setHeader('connection', 'close')
  request.resume()
  return { name, status, bytes: 0 }
}

function answer(response: ServerResponse, { status, reason }: Answered): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(status === 200 ? { ok: true } : { ok: false, status, reason }))
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return undefined
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > maxBytes) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** JSON as it came; a form as an object, or the JSON in its field `payload`. */
function jsonOf(body: Buffer, type: string): Json | undefined {
  const text = new TextDecoder('utf8').decode(body)
  if (!type.startsWith('application/x-www-form-urlencoded')) return parsed(text)
  const form = new URLSearchParams(text)
  const value = Object.fromEntries(form)
  return parsed(form.get('payload') ?? '') ?? { text: JSON.stringify(value), value }
}

interface Json {
  text: string
  value: unknown
}

function parsed(text: string): Json | undefined {
  try {
    return { text: text.trim(), value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}
