import { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import type { Entry, RandomAccessReader, ZipFile } from 'yauzl'
import { withDriver } from '../../../errors/index.ts'
import { tooLarge } from '../http/transport.ts'
import { decompressed } from './decompress.ts'
import { NotInFormat } from './not-in-format.ts'
import type { Spool } from './spool.ts'

/** A file as it was before it was packed. */
export interface UnpackedFile {
  /** Only files in a zip have a name. */
  name: string | undefined
  /** Throws `NotInFormat` where the file is damaged or cut off. */
  bytes: AsyncIterable<Uint8Array>
}

export interface UnpackLimits {
  /** Bytes of all files together. */
  limit: number
  /** Where the files came from. */
  url: URL
  signal: AbortSignal
}

/** Counts the bytes of all files of a response. Throws `HTTP_TOO_LARGE`, and the reason of an abort. */
function counter({ limit, url, signal }: UnpackLimits): (chunk: Uint8Array) => void {
  let left = limit
  return ({ length }) => {
    signal.throwIfAborted()
    left -= length
    if (left < 0) throw tooLarge(url, limit)
  }
}

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b
const isZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && ((bytes[2] === 3 && bytes[3] === 4) || (bytes[2] === 5 && bytes[3] === 6))

/** What a small answer holds; the content itself tells whether it is packed. */
export async function unpackAll(
  bytes: Buffer,
  limits: UnpackLimits,
): Promise<{ name: string | undefined; bytes: Buffer }[]> {
  const files: { name: string | undefined; bytes: Buffer }[] = []
  const count = counter(limits)
  for await (const file of filesIn(bytes)) {
    const chunks: Uint8Array[] = []
    for await (const chunk of file.bytes) {
      count(chunk)
      chunks.push(chunk)
    }
    files.push({ name: file.name, bytes: Buffer.concat(chunks) })
  }
  return files
}

async function* filesIn(bytes: Buffer): AsyncGenerator<UnpackedFile> {
  if (isGzip(bytes)) yield { name: undefined, bytes: decompressed(once(bytes), 'gzip') }
  else if (!isZip(bytes)) yield { name: undefined, bytes: once(bytes) }
  else {
    const { fromBuffer } = await zipReader()
    yield* entries((options, done) => fromBuffer(bytes, options, done))
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** What a download holds, file by file. */
export async function* unpackedFiles(spool: Spool): AsyncGenerator<UnpackedFile> {
  const head = await spool.slice(0, 4)
  if (isGzip(head)) {
    yield { name: undefined, bytes: decompressed(spool.bytes(), 'gzip') }
    return
  }
  if (!isZip(head)) {
    yield { name: undefined, bytes: spool.bytes() }
    return
  }
  const { fromRandomAccessReader, RandomAccessReader: Reader } = await zipReader()
  class SpoolReader extends Reader {
    override _readStreamForRange(start: number, end: number): Readable {
      return Readable.from(spool.bytes(start, end))
    }
  }
  const reader: RandomAccessReader = new SpoolReader()
  yield* entries((options, done) => fromRandomAccessReader(reader, spool.size, options, done))
}

/**
 * Reads a packed download to its end, because its checksums are there: one that is damaged must be asked for again before its
 * first row is used. Throws `NotInFormat`.
 */
export async function checkPacked(spool: Spool, limits: UnpackLimits): Promise<void> {
  const head = await spool.slice(0, 4)
  if (!isGzip(head) && !isZip(head)) return
  const count = counter(limits)
  for await (const { bytes } of unpackedFiles(spool)) for await (const chunk of bytes) count(chunk)
}

const zipReader = async () => (await withDriver('unpacking zip files', ['yauzl'], () => import('yauzl'))).default

type Open = (
  options: { lazyEntries: true; autoClose: false },
  done: (error: Error | null, zip: ZipFile) => void,
) => void

/** The files in a zip, in its order; folders are passed over. */
async function* entries(open: Open): AsyncGenerator<UnpackedFile> {
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    open({ lazyEntries: true, autoClose: false }, (error, opened) =>
      error === null ? resolve(opened) : reject(damaged(error)),
    )
  })
  for (;;) {
    const entry = await nextEntry(zip)
    if (entry === undefined) return
    if (entry.fileName.endsWith('/')) continue
    const stream = await new Promise<Readable>((resolve, reject) => {
      zip.openReadStream(entry, (error, opened) => (error === null ? resolve(opened) : reject(damaged(error))))
    })
    // Whoever reads the stream gets its errors; one that comes before or after must not end the process.
    stream.on('error', () => undefined)
    yield { name: entry.fileName, bytes: checkedBytes(stream, entry) }
  }
}

/** The zip reader compares sizes, and leaves the checksum to its caller. */
async function* checkedBytes(stream: AsyncIterable<Uint8Array>, entry: Entry): AsyncGenerator<Uint8Array> {
  let checksum = 0
  const chunks = stream[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await chunks.next().catch((error: Error) => {
        throw damaged(error)
      })
      if (next.done === true) break
      checksum = crc32(next.value, checksum)
      yield next.value
    }
  } finally {
    await chunks.return?.()
  }
  if (checksum !== entry.crc32) throw damaged(new Error(`the checksum of "${entry.fileName}" is wrong`))
}

const nextEntry = (zip: ZipFile): Promise<Entry | undefined> =>
  new Promise((resolve, reject) => {
    zip.removeAllListeners()
    zip.once('entry', (entry: Entry) => resolve(entry))
    zip.once('end', () => resolve(undefined))
    zip.on('error', (error: Error) => reject(damaged(error)))
    zip.readEntry()
  })

const damaged = (error: Error): NotInFormat =>
  new NotInFormat(`a zip that cannot be unpacked (${error.message})`, { cause: error })
