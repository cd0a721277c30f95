import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SimulatedRequest {
  method: string
  /** Parts of the path below the API's root. */
  path: string[]
  query: URLSearchParams
  headers: IncomingMessage['headers']
  body: unknown
  /** Address of the API, for absolute links in answers. */
  baseUrl: string
}

export interface SimulatedReply {
  status: number
  body: unknown
  headers?: Record<string, string>
}

/** A platform's API in memory. */
export interface Simulation {
  /** Path of the API on the server, `/api/v1`. */
  readonly root: string
  /** What `secrets.toml` holds for it: key and value. */
  readonly secret: readonly [key: string, value: string]
  /** Other settings the source needs, such as lists of ids. */
  readonly settings: Record<string, readonly string[]>
  /** Everything the API holds, by resource. */
  readonly data: Record<string, readonly unknown[]>
  handle(request: SimulatedRequest): SimulatedReply
  /** Time goes by: rows are added and changed. */
  advance(): void
}

export interface SimulationOptions {
  /** Root rows of the main resource. */
  size: number
  seed: number
  /** Rows of a page where the platform does not say. */
  pageSize?: number
  /** Answers in another of the shapes that a platform may have. */
  shape?: string
}

export interface ServerOptions {
  port?: number
  latencyMs?: number
  /** Requests a minute before 429. */
  requestsPerMinute?: number
  /** Answers something else than the platform would; `undefined` lets the platform answer. */
  fault?: (request: SimulatedRequest, count: number) => SimulatedReply | 'drop' | 'hang' | undefined
}

export interface RunningSimulator {
  readonly baseUrl: string
  readonly requests: readonly string[]
  close(): Promise<void>
}

export const reply = (body: unknown, status = 200): SimulatedReply => ({ status, body })

/** Serves a simulation on 127.0.0.1. */
export async function serve(simulation: Simulation, options: ServerOptions = {}): Promise<RunningSimulator> {
  const requests: string[] = []
  const recent: number[] = []
  let baseUrl = ''
  const answerTo = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const request = await readRequest(incoming, simulation.root, baseUrl)
    requests.push(`${request.method} ${incoming.url}`)
    if (options.latencyMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.latencyMs))
    const fault = options.fault?.(request, requests.length)
    if (fault === 'drop') return void incoming.socket.destroy()
    if (fault === 'hang') return
    const answer = fault ?? tooMany(recent, options.requestsPerMinute) ?? simulation.handle(request)
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)
    outgoing.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers })
    outgoing.end(text)
  }
  const server = createServer((incoming, outgoing) => {
    // A request that cannot be read, or whose sender has gone.
    answerTo(incoming, outgoing).catch(() =>
      outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(400).end(),
    )
  })
  await listen(server, options.port ?? 0)
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}${simulation.root}`
  return {
    baseUrl,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}

async function readRequest(incoming: IncomingMessage, root: string, baseUrl: string): Promise<SimulatedRequest> {
  const url = new URL(incoming.url ?? '/', 'http://127.0.0.1')
  const path = url.pathname.startsWith(root) ? url.pathname.slice(root.length) : `/unknown${url.pathname}`
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  return {
    method: incoming.method ?? 'GET',
    path: path
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent),
    query: url.searchParams,
    headers: incoming.headers,
    body: text === '' ? undefined : JSON.parse(text),
    baseUrl,
  }
}

function tooMany(recent: number[], requestsPerMinute: number | undefined): SimulatedReply | undefined {
  if (requestsPerMinute === undefined) return undefined
  const now = Date.now()
  while (recent.length > 0 && recent[0]! <= now - 60_000) recent.shift()
  if (recent.length < requestsPerMinute) {
    recent.push(now)
    return undefined
  }
  const seconds = Math.ceil((recent[0]! + 60_000 - now) / 1000)
  return { ...reply({ status: 429, message: 'Too Many Requests' }, 429), headers: { 'retry-after': String(seconds) } }
}
