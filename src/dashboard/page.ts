import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'
import { PipelineError } from '../index.ts'

/** The page as it was built; from here as far as from the compiled file. */
const folder = fileURLToPath(new URL('../../dashboard-page/', import.meta.url))

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

interface PageFile {
  content: Buffer
  compressed: Buffer
}

/** The files of the page, read and compressed at the start. */
export class Page {
  private readonly files = new Map<string, PageFile>()

  constructor() {
    if (!existsSync(join(folder, 'index.html'))) {
      throw new PipelineError(`the page of the dashboard is not there: ${folder}`, {
        code: 'WRONG_USE',
        fix: 'build it: npm run build:dashboard',
      })
    }
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (types[extname(name)] !== undefined)
        this.files.set(name.replaceAll('\\', '/'), readPageFile(join(folder, name)))
    }
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
      response.end(this.files.get(name)!.content.toString('utf8').replace('__NONCE__', nonce))
      return
    }
    const file = this.files.get(name)
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
}

function readPageFile(path: string): PageFile {
  const content = readFileSync(path)
  const params = { [constants.BROTLI_PARAM_QUALITY]: 5 }
  return { content, compressed: brotliCompressSync(content, { params }) }
}
