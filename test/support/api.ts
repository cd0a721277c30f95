import { mkdtempSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { pipeline, type Pipeline } from '../../src/index.ts'

export type Answer = (request: IncomingMessage, response: ServerResponse, url: URL, body: string) => void

export interface TestApi {
  baseUrl: string
  /** Method, path and query of every request. */
  requests: string[]
  headers: IncomingMessage['headers'][]
}

/** A server of this test on 127.0.0.1. */
export async function api(answer: Answer): Promise<TestApi> {
  const requests: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const server = createServer(async (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    headers.push(request.headers)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    answer(request, response, new URL(request.url!, 'http://127.0.0.1'), Buffer.concat(chunks).toString())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, headers }
}

export function json(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** A pipeline into a fresh DuckDB file. */
export function freshPipeline(name = 'test'): Pipeline {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  return pipeline({ name, dataset: 'data', destination: duckdb({ path: join(folder, 'test.duckdb') }) })
}

/** The tables a load left; none when nothing was loaded. */
export async function tableNames(target: Pipeline): Promise<string[]> {
  const rows = await target
    .dataset()
    .query<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = 'data' and table_name not like '\\_dlt%' escape '\\' order by 1",
    )
    .toArray()
  return rows.map((row) => row.name)
}
