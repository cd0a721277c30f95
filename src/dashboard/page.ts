import { existsSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'
import { PipelineError } from '../index.ts'

/** The page as it was built: beside this file in the package, in `dist` where Sluice itself is worked on. */
const folder = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/dashboard/app/' : './app/', import.meta.url),
)

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** The files of the page: read once, compressed once. */
export class Page {
  private readonly files = new Map<string, { content: Buffer; compressed: Buffer }>()

  constructor() {
    if (existsSync(join(folder, 'index.html'))) return
    throw new PipelineError(`the page of the dashboard is not there: ${folder}`, {
      code: 'WRONG_USE',
      fix: 'build it: npm run build:dashboard',
    })
  }

  /** A file of the page; every other path is one that the page itself makes sense of. */
  send(request: IncomingMessage, response: ServerResponse, pathname: string, nonce: string): void {
    const name = /^\/assets\/[\w.-]+$/.test(pathname)
      ? pathname.slice(1)
      : pathname === '/icon.svg'
        ? 'icon.svg'
        : 'index.html'
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end()
    if (name === 'index.html') {
      response.writeHead(200, { 'content-type': types['.html']!, 'cache-control': 'no-store' })
      response.end(this.file(name)!.content.toString('utf8').replace('__NONCE__', nonce))
      return
    }
    const file = this.file(name)
    if (file === undefined) return void response.writeHead(404).end()
    const compresses = String(request.headers['accept-encoding']).includes('br')
    response.writeHead(200, {
      'content-type': types[extname(name)] ?? 'application/octet-stream',
      // Names of assets hold a hash of what is in them.
      'cache-control': name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      ...(compresses ? { 'content-encoding': 'br' } : {}),
    })
    response.end(compresses ? file.compressed : file.content)
  }

  private file(name: string): { content: Buffer; compressed: Buffer } | undefined {
    const known = this.files.get(name)
    if (known !== undefined) return known
    const path = join(folder, name)
    if (!existsSync(path)) return undefined
    const content = readFileSync(path)
    const params = { [constants.BROTLI_PARAM_QUALITY]: 5 }
    const file = { content, compressed: brotliCompressSync(content, { params }) }
    this.files.set(name, file)
    return file
  }
}
