import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dataDir, PipelineError, redact } from '../index.ts'
import { FileAnswer } from './file-answer.ts'
import { accessToken, refusal, type AccessToken } from '../loopback/guards.ts'
import { safeHeaders } from './safe-headers.ts'
import { Page } from './page.ts'
import { findRoute, type Answer } from './routes.ts'

export interface DashboardOptions {
  /** @default 2718, or a free one when that is taken */
  port?: number
  /** Makes another token; links with the old one are refused. */
  renewsToken?: boolean
}

export interface Dashboard {
  /** Opens the page, with the token behind `#`: that part of an address is not sent to any server. */
  url(path?: string): string
  close(): Promise<void>
}

const standardPort = 2718
/** The browser keeps the token, and another program may listen on the port one day. */
const tokenLifetimeDays = 30
const largestBody = 1024 * 1024

/** Serves the dashboard to this machine only. */
export async function startDashboard({ port, renewsToken = false }: DashboardOptions = {}): Promise<Dashboard> {
  const token = accessToken(dataDir(), 'dashboard', { lifetimeDays: tokenLifetimeDays, renew: renewsToken })
  const page = new Page()
  const server = createServer((request, response) => {
    const { port: own } = server.address() as AddressInfo
    answer(request, response, { port: own, token, page }).catch((error: unknown) => {
      if (!response.headersSent) sendJson(response, { status: 500, body: errorBody(error) })
      else response.destroy()
    })
  })
  await listen(server, port)
  const { port: own } = server.address() as AddressInfo
  return {
    url: (path = '/') => `http://127.0.0.1:${own}${path}#${token.value}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** On the port that is asked for, or the usual one; a free one when nobody asked and that is taken. */
function listen(server: ReturnType<typeof createServer>, port: number | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    // Also later: a connection that cannot be taken, for want of descriptors, must not end the process.
    server.on('error', (error: Error & { code?: string }) => {
      if (error.code !== 'EADDRINUSE' || port !== undefined) {
        reject(
          new PipelineError(`the dashboard cannot use port ${port ?? standardPort}: ${error.message}`, {
            code: 'WRONG_USE',
            fix: 'choose another one: --port 2719',
            cause: error,
          }),
        )
        return
      }
      server.listen(0, '127.0.0.1', resolve)
    })
    server.listen(port ?? standardPort, '127.0.0.1', resolve)
  })
}

interface Own {
  port: number
  token: AccessToken
  page: Page
}

async function answer(request: IncomingMessage, response: ServerResponse, { port, token, page }: Own): Promise<void> {
  const nonce = randomBytes(12).toString('base64url')
  for (const [name, value] of Object.entries(safeHeaders(nonce))) response.setHeader(name, value)
  const url = addressOf(request.url ?? '/', port)
  if (url === undefined) return sendJson(response, { status: 400, body: errorBody(wrongPath()) })
  const isApi = url.pathname.startsWith('/api/')
  const refused = refusal(request, port, isApi ? token : undefined)
  if (refused !== undefined) {
    const body = { error: { code: 'REFUSED', message: refused, fix: 'open the link that the terminal shows' } }
    return sendJson(response, { status: 403, body })
  }
  if (!isApi) return page.send(request, response, url.pathname, nonce)
  const route = findRoute(request.method ?? 'GET', url.pathname.split('/').map(decodeURIComponent))
  if (route === undefined) {
    const body = { error: { code: 'NOT_FOUND', message: `there is no ${url.pathname}`, fix: 'reload the page' } }
    return sendJson(response, { status: 404, body })
  }
  try {
    const body = request.method === 'POST' ? await readBody(request) : {}
    const answer = await route({ query: url.searchParams, body })
    if (answer instanceof FileAnswer) return await answer.send(response)
    sendJson(response, { status: 200, body: answer })
  } catch (error) {
    // Whoever asked may have gone while a file was sent.
    if (response.headersSent) return void response.destroy()
    sendJson(response, { status: error instanceof PipelineError ? 400 : 500, body: errorBody(error) })
  }
}

/** The address of a request, when all of it can be read: `%ff` is no letter, and `//` no path. */
function addressOf(text: string, port: number): URL | undefined {
  try {
    const url = new URL(text, `http://127.0.0.1:${port}`)
    decodeURIComponent(url.pathname)
    return url
  } catch {
    return undefined
  }
}

const wrongPath = (): PipelineError =>
  new PipelineError('the path of the request cannot be read', { code: 'WRONG_USE', fix: 'reload the page' })

function sendJson(response: ServerResponse, { status, body }: { status: number; body: Answer }): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}

const errorBody = (error: unknown): Answer => {
  if (error instanceof PipelineError) return { error: { code: error.code, message: error.summary, fix: error.fix } }
  const message = redact((error instanceof Error ? error.message : String(error)).split('\n')[0]!)
  return { error: { code: 'UNEXPECTED', message, fix: 'look at the terminal of the dashboard' } }
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > largestBody) throw wrongBody('it is longer than 1 MiB')
    parts.push(part)
  }
  try {
    const body: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'))
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>
  } catch {
    // Told below.
  }
  throw wrongBody('it is no JSON object')
}

const wrongBody = (why: string): PipelineError =>
  new PipelineError(`the request cannot be read: ${why}`, { code: 'WRONG_USE', fix: 'send a JSON object' })
