import { randomUUID } from 'node:crypto'
import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { dataDir } from '../../../config/index.ts'
import { asDiskError, PipelineError } from '../../../errors/index.ts'

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
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const path = join(folder, randomUUID())
    const handle = await open(path, 'wx+', 0o600)
    try {
      await unlink(path)
      let size = 0
      for await (const chunk of bytes) {
        try {
          // One `write` may take only a part of the chunk: on a full disk that is no error.
          await handle.writeFile(chunk)
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

  /** A part of the file; shorter than asked for only where the file ends. */
  async slice(from: number, length: number): Promise<Buffer> {
    const wanted = Math.max(0, Math.min(length, this.size - from))
    const buffer = Buffer.alloc(wanted)
    for (let at = 0; at < wanted;) {
      const { bytesRead } = await this.handle.read(buffer, at, wanted - at, from + at)
      if (bytesRead === 0) throw cutShort(this.size, from + at)
      at += bytesRead
    }
    return buffer
  }

  async *bytes(from = 0, to = this.size): AsyncGenerator<Uint8Array> {
    for (let at = from; at < to; at += chunkBytes) yield await this.slice(at, Math.min(chunkBytes, to - at))
  }

  close(): Promise<void> {
    return this.handle.close()
  }
}

const chunkBytes = 256 * 1024

const cutShort = (size: number, at: number): PipelineError =>
  new PipelineError(`a download of ${size} bytes ends at byte ${at} on disk`, {
    code: 'DISK_REFUSED',
    recovery: 'retry',
    fix: 'check the disk of SLUICE_DATA_DIR, then run again: nothing was half-loaded',
  })
