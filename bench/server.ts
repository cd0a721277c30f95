/** Serves the pages of one shape from memory, in a process of its own: `node bench/server.ts <shape> <rows>`. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pages, type Shape } from './data.ts'

const [shape, rows] = process.argv.slice(2) as [Shape, string]
let bodies: Buffer[] = []
const server = createServer((request, response) => {
  const body = bodies[Number(request.url!.split('/')[2] ?? 0)]
  if (body === undefined) return void response.writeHead(404).end()
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
})
server.listen(0, '127.0.0.1', () => {
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  bodies = pages(shape, Number(rows), baseUrl)
  process.send?.({ baseUrl, bytes: bodies.reduce((sum, body) => sum + body.length, 0) })
})
process.on('disconnect', () => process.exit())
