import { pipeline } from 'node:stream'
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  type BrotliDecompress,
  type Gunzip,
} from 'node:zlib'
import { NotInFormat } from './not-in-format.ts'

/** Ways to compress bytes. `deflate` is zlib's format or the raw one: servers send both under that name. */
export type Compression = 'gzip' | 'deflate' | 'br' | 'zstd'

const chunkSize = 64 * 1024

/**
 * Decompresses to the end. Throws `NotInFormat` for data that is damaged, ends early or goes on after its end, where the
 * decompressors of clients pass on whatever came before. Gzip may have several members.
 */
export async function* decompressed(
  bytes: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Uint8Array> {
  const source = new Counted(bytes)
  const decompressor = await decompressorFor(compression, source)
  // Failures are thrown to whoever reads the decompressor.
  pipeline(source.all(), decompressor, () => undefined)
  try {
    yield* decompressor as AsyncIterable<Uint8Array>
  } catch (error) {
    throw error === source.failure ? error : broken(compression, (error as Error).message, error)
  } finally {
    decompressor.destroy()
  }
  // It ends by itself only where its format does, and takes no byte more.
  if (decompressor.bytesWritten < source.count) throw broken(compression, 'data follows its end')
}

const broken = (compression: Compression, why: string, cause?: unknown): NotInFormat =>
  new NotInFormat(`${compression} that cannot be unpacked (${why})`, { cause })

async function decompressorFor(compression: Compression, source: Counted): Promise<Gunzip | BrotliDecompress> {
  switch (compression) {
    case 'gzip':
      return createGunzip({ chunkSize })
    case 'br':
      return createBrotliDecompress({ chunkSize })
    case 'zstd':
      return createZstdDecompress({ chunkSize })
    case 'deflate':
      return hasZlibHeader(await source.peek(2)) ? createInflate({ chunkSize }) : createInflateRaw({ chunkSize })
  }
}

/** RFC 1950, section 2.2: method 8, and a check of both bytes. */
const hasZlibHeader = ([method = 0, flags = 0]: Uint8Array): boolean =>
  (method & 0x0f) === 8 && (method * 256 + flags) % 31 === 0

/** Bytes that are counted as they are passed on. */
class Counted {
  count = 0
  /** The error of whoever sends the bytes. */
  failure: unknown
  private readonly bytes: AsyncIterator<Uint8Array>
  private readonly peeked: Uint8Array[] = []

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.bytes = bytes[Symbol.asyncIterator]()
  }

  /** The first bytes, which stay; fewer when there are no more. */
  async peek(length: number): Promise<Uint8Array> {
    let held = 0
    while (held < length) {
      const next = await this.bytes.next()
      if (next.done === true) break
      this.peeked.push(next.value)
      held += next.value.length
    }
    return Buffer.concat(this.peeked).subarray(0, length)
  }

  async *all(): AsyncGenerator<Uint8Array> {
    try {
      for (const chunk of this.peeked) yield this.counted(chunk)
      for (let next = await this.bytes.next(); next.done !== true; next = await this.bytes.next()) {
        yield this.counted(next.value)
      }
    } catch (error) {
      this.failure = error
      throw error
    } finally {
      await this.bytes.return?.()
    }
  }

  private counted(chunk: Uint8Array): Uint8Array {
    this.count += chunk.length
    return chunk
  }
}
