import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PipelineError } from '../index.ts'
import { InboxWriter } from './inbox-store.ts'

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
}

export interface InboxServer {
  url: string
  close(): Promise<void>
}

/** Answers `POST /hooks/<name>/<secret>` once the payload is on disk. */
export async function serveInbox(options: InboxServerOptions): Promise<InboxServer> {
  const { hooks, port = 8787, host = '127.0.0.1', maxBytes = 1024 * 1024, onRequest } = options
  const writers = new Map(hooks.map(({ name }) => [name, new InboxWriter(name)]))
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let answered: Answered = { name: undefined, status: 503, bytes: 0 }
    try {
      answered = await receive(request, response, { hooks, writers, maxBytes })
    } catch {
      // The disk refused it, or the sender has gone: it sends again what was not acknowledged.
    }
    answer(response, answered.status)
    onRequest?.(answered)
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
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      })
      for (const writer of writers.values()) await writer.close()
    },
  }
}

interface Answered {
  name: string | undefined
  status: number
  bytes: number
}

async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  { hooks, writers, maxBytes }: { hooks: readonly Hook[]; writers: ReadonlyMap<string, InboxWriter>; maxBytes: number },
): Promise<Answered> {
  const [, first, name = '', secret = ''] = new URL(request.url ?? '/', 'http://localhost').pathname.split('/')
  const hook = hooks.find((one) => one.name === name)
  // One answer for a wrong name and a wrong secret: neither can be found out.
  if (first !== 'hooks' || !isEqual(secret, hook?.secret ?? '-') || hook === undefined)
    return refuse(request, response, undefined, 404)
  if (request.method !== 'POST') return refuse(request, response, name, 405)
  const body = await bodyOf(request, maxBytes)
  if (body === undefined) return refuse(request, response, name, 413)
  const payload = jsonOf(body, request.headers['content-type'] ?? '')
  if (payload === undefined) return { name, status: 400, bytes: body.length }
  await writers.get(name)!.add(payload, new Date())
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

function answer(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(status === 200 ? '{"ok":true}' : `{"ok":false,"status":${status}}`)
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
function jsonOf(body: Buffer, type: string): string | undefined {
  const text = new TextDecoder('utf8').decode(body)
  if (!type.startsWith('application/x-www-form-urlencoded')) return isJson(text) ? text.trim() : undefined
  const form = new URLSearchParams(text)
  const inner = form.get('payload')
  return inner !== null && isJson(inner) ? inner.trim() : JSON.stringify(Object.fromEntries(form))
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
