import { randomUUID } from 'node:crypto'
import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { dataDir } from '../../../config/index.ts'
import { asDiskError } from '../../../errors/index.ts'

/** A download on disk. It has no name any more, so that nothing is left when the process is killed. */
export class Spool {
  private readonly handle: FileHandle
  readonly size: number

  private constructor(handle: FileHandle, size: number) {
    this.handle = handle
    this.size = size
  }

  static async from(bytes: AsyncIterable<Uint8Array>): Promise<Spool> {
    const folder = join(dataDir(), 'downloads')
    await mkdir(folder, { recursive: true })
    const path = join(folder, randomUUID())
    const handle = await open(path, 'wx+', 0o600)
    try {
      await unlink(path)
      let size = 0
      for await (const chunk of bytes) {
        try {
          await handle.write(chunk)
        } catch (error) {
          throw asDiskError(error, folder)
        }
        size += chunk.length
      }
      return new Spool(handle, size)
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  get fd(): number {
    return this.handle.fd
  }

  /** A part of the file. */
  async slice(from: number, length: number): Promise<Buffer> {
    const { buffer, bytesRead } = await this.handle.read(Buffer.alloc(length), 0, length, from)
    return buffer.subarray(0, bytesRead)
  }

  async *bytes(from = 0, to = this.size): AsyncGenerator<Uint8Array> {
    for (let at = from; at < to; at += chunkBytes) yield await this.slice(at, Math.min(chunkBytes, to - at))
  }

  close(): Promise<void> {
    return this.handle.close()
  }
}

const chunkBytes = 256 * 1024
