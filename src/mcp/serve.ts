import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { serveStdio as serve } from '@modelcontextprotocol/server/stdio'
import { dataDir, PipelineError, redact } from '../index.ts'
import { accessToken, refusal } from '../loopback/guards.ts'
import { mcpServer } from './server.ts'
import type { ServedProject } from './tool.ts'

/** Speaks with the program that started this one, over its input and output, until that ends. */
export async function serveStdio(project: ServedProject, features: readonly string[]): Promise<void> {
  serve(() => mcpServer(project, features), { onerror: (error) => console.error(redact(error.message)) })
  await new Promise<void>((resolve) => {
    process.stdin.once('end', resolve)
    process.stdin.once('close', resolve)
  })
}

export interface HttpServer {
  url: string
  /** Goes into the header `Authorization: Bearer …` of each request. */
  token: string
  close(): Promise<void>
}

const standardPort = 2719
const path = '/mcp'

/** Speaks HTTP with programs on this machine that know the token, and with no page of a browser. */
export async function serveHttp(
  project: ServedProject,
  features: readonly string[],
  { port, renewsToken = false }: { port?: number | undefined; renewsToken?: boolean } = {},
): Promise<HttpServer> {
  const token = accessToken(dataDir(), 'mcp', { renew: renewsToken })
  const answer = toNodeHandler(createMcpHandler(() => mcpServer(project, features)))
  const server = createServer((request, response) => {
    const { port: own } = server.address() as AddressInfo
    const refused = refusal(request, own, token)
    const isHere = (request.url ?? '').split('?')[0] === path
    if (refused === undefined && isHere) {
      const asked = answer(request as IncomingMessage & { method: string; url: string }, response)
      asked.catch(() => response.destroy())
      return
    }
    response.writeHead(refused === undefined ? 404 : 403, { 'content-type': 'text/plain' })
    response.end(refused ?? `the server is at ${path}`)
  })
  await new Promise<void>((resolve, reject) => {
    server.on('error', (cause: Error) => reject(portTaken(port ?? standardPort, cause)))
    server.listen(port ?? standardPort, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    token: token.value,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const portTaken = (port: number, cause: Error): PipelineError =>
  new PipelineError(`the MCP server cannot use port ${port}: ${cause.message}`, {
    code: 'WRONG_USE',
    fix: 'choose another one: --port 2720',
    cause,
  })
