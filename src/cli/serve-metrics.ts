import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PipelineError } from '../index.ts'

export interface MetricsServer {
  url: string
  close(): void
}

/** Answers `GET /metrics` with what `text` says at that moment. `place` is a port, or an address and a port. */
export async function serveMetrics(place: string, text: () => string | Promise<string>): Promise<MetricsServer> {
  const [, host = '127.0.0.1', port] = /^(?:(.+):)?(\d{1,5})$/.exec(place) ?? []
  const wrong = (why: string, cause?: unknown): PipelineError =>
    new PipelineError(`--metrics ${place}: ${why}`, {
      code: 'WRONG_USE',
      fix: 'give a port, or an address and a port: --metrics 0.0.0.0:9464',
      cause,
    })
  if (port === undefined) throw wrong('this is no port')
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const isAsked = request.method === 'GET' && (request.url ?? '').split('?')[0] === '/metrics'
    const type = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }
    if (!isAsked) return void response.writeHead(404, type).end('the metrics are at /metrics\n')
    try {
      const found = await text()
      response.writeHead(200, type).end(found)
    } catch {
      // What is asked does not answer itself.
      response.writeHead(503, type).end()
    }
  }
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.on('error', (cause: Error) => reject(wrong(cause.message, cause)))
    server.listen(Number(port), host, resolve)
  })
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}/metrics`,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
