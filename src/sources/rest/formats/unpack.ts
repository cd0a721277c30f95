import { Readable } from 'node:stream'
import { createGunzip, gunzipSync } from 'node:zlib'
import type { Entry, RandomAccessReader, ZipFile } from 'yauzl'
import { withDriver } from '../../../errors/index.ts'
import { tooLarge } from '../http/transport.ts'
import { NotInFormat } from './not-in-format.ts'
import type { Spool } from './spool.ts'

/** A file as it was before it was packed. */
export interface UnpackedFile {
  /** Only files in a zip have a name. */
  name: string | undefined
  bytes: AsyncIterable<Uint8Array>
}

const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b
const isZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && ((bytes[2] === 3 && bytes[3] === 4) || (bytes[2] === 5 && bytes[3] === 6))

/** What a small answer holds; the content itself tells whether it is packed. */
export async function unpackAll(
  bytes: Buffer,
  limit: number,
  url: URL,
): Promise<{ name: string | undefined; bytes: Buffer }[]> {
  if (isGzip(bytes)) {
    try {
      return [{ name: undefined, bytes: gunzipSync(bytes, { maxOutputLength: limit }) }]
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(url, limit)
      throw new NotInFormat(`gzip that cannot be unpacked (${(error as Error).message})`, { cause: error })
    }
  }
  if (!isZip(bytes)) return [{ name: undefined, bytes }]
  const { fromBuffer } = await zipReader()
  const files: { name: string | undefined; bytes: Buffer }[] = []
  let left = limit
  for await (const file of entries((options, done) => fromBuffer(bytes, options, done))) {
    const chunks: Uint8Array[] = []
    for await (const chunk of file.bytes) {
      left -= chunk.length
      if (left < 0) throw tooLarge(url, limit)
      chunks.push(chunk)
    }
    files.push({ name: file.name, bytes: Buffer.concat(chunks) })
  }
  return files
}

/** What a download holds, file by file. */
export async function* unpackedFiles(spool: Spool): AsyncGenerator<UnpackedFile> {
  const head = await spool.slice(0, 4)
  if (isGzip(head)) {
    yield { name: undefined, bytes: Readable.from(spool.bytes()).compose(createGunzip()) as AsyncIterable<Uint8Array> }
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
    yield { name: entry.fileName, bytes: stream as AsyncIterable<Uint8Array> }
  }
}

const nextEntry = (zip: ZipFile): Promise<Entry | undefined> =>
  new Promise((resolve, reject) => {
    zip.removeAllListeners()
    zip.once('entry', (entry: Entry) => resolve(entry))
    zip.once('end', () => resolve(undefined))
    zip.once('error', (error: Error) => reject(damaged(error)))
    zip.readEntry()
  })

const damaged = (error: Error): NotInFormat =>
  new NotInFormat(`a zip that cannot be unpacked (${error.message})`, { cause: error })
