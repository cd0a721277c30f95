import { createReadStream } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'

/** An answer that is a file, gone when it is sent. */
export class FileAnswer {
  private readonly path: string
  private readonly type: string
  private readonly remove: () => void

  constructor(path: string, type: string, remove: () => void) {
    this.path = path
    this.type = type
    this.remove = remove
  }

  async send(response: ServerResponse): Promise<void> {
    try {
      response.writeHead(200, {
        'content-type': this.type,
        'content-disposition': `attachment; filename="${basename(this.path)}"`,
        'cache-control': 'no-store',
      })
      await pipeline(createReadStream(this.path), response)
    } finally {
      this.remove()
    }
  }
}
