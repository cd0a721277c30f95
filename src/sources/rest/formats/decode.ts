import { jsonPath, parseJson } from '../../../extract/index.ts'
import type { RestResponse } from '../request.ts'
import type { CsvOptions, ResponseFormat } from '../spec.ts'
import { limited, readBytes, type RawAnswer } from '../http/transport.ts'
import { csvRows } from './csv.ts'
import { jsonLines } from './json-lines.ts'
import { notJson } from './not-in-format.ts'
import { decodedText, looseTextOf, textOf } from './charset.ts'
import { Spool } from './spool.ts'
import { unpackAll, unpackedFiles, type UnpackedFile } from './unpack.ts'
import { parseXml } from './xml.ts'

/** How answers are to be read. */
export interface FormatOptions {
  format: ResponseFormat
  csv?: CsvOptions | undefined
  charset?: string | undefined
  /** Where the rows stand in each line of JSONL. */
  selector?: string | undefined
}

type Known = Exclude<ResponseFormat, 'auto'>

const mebibyte = 1024 * 1024
const wholeLimit = 256 * mebibyte
const streamLimit = 64 * 1024 * mebibyte
const errorLimit = mebibyte

/**
 * Reads an answer: JSON and XML as a whole, JSONL and CSV by way of a file, so that a large one takes no memory and one
 * that breaks off is asked for again. Gzip and zip are unpacked. Throws `NotInFormat`.
 */
export async function decode(
  raw: RawAnswer,
  options: FormatOptions = { format: 'auto' },
  maxBytes?: number,
): Promise<RestResponse> {
  const { status, headers, url } = raw
  const answer = { status, headers, url }
  if (status >= 400) {
    const text = looseTextOf(await beginningOf(raw))
    return { ...answer, text, body: leniently(text) }
  }
  const charset = options.charset ?? /charset="?([\w-]+)/i.exec(headers.get('content-type') ?? '')?.[1]
  const format = options.format === 'auto' ? formatOf(headers.get('content-type') ?? '', url.pathname) : options.format
  if (format === 'jsonl' || format === 'csv') {
    const spool = await Spool.from(limited(raw.body, maxBytes ?? streamLimit, url))
    const rows = rowsOf(spool, format, { charset, limit: maxBytes ?? streamLimit, url }, options)
    return { ...answer, text: '', body: undefined, rows }
  }
  const limit = maxBytes ?? wholeLimit
  const files = await unpackAll(await readBytes(raw, limit), limit, url)
  const texts = files.map(({ name, bytes }) => ({ name, text: textOf(bytes, charset) }))
  const [first] = texts
  if (status === 204 || (texts.length === 1 && first!.text.trim() === '')) return { ...answer, text: '', body: [] }
  const bodies = await Promise.all(texts.map(({ name, text }) => parse(text, formatOfFile(name) ?? format)))
  const text = texts.map((one) => one.text).join('\n')
  return { ...answer, text, body: bodies.length === 1 ? bodies[0] : bodies }
}

async function parse(text: string, format: Known): Promise<unknown> {
  if (format === 'xml') return parseXml(text)
  try {
    return parseJson(text)
  } catch (error) {
    throw notJson(text, error)
  }
}

/** The rows of a file, or of the files in it; the file is gone when they are through, or when nobody wants more. */
async function* rowsOf(
  spool: Spool,
  format: 'jsonl' | 'csv',
  about: { charset: string | undefined; limit: number; url: URL },
  { csv, selector }: FormatOptions,
): AsyncGenerator<unknown[]> {
  const path = selector === undefined || selector === '' ? undefined : jsonPath(selector)
  try {
    for await (const file of unpackedFiles(spool)) {
      const text = decodedText(limited(file.bytes, about.limit, about.url), about.charset)
      const rows = formatInside(file, format) === 'csv' ? csvRows(text, file.name, csv) : jsonLines(text, file.name)
      for await (const page of rows) yield path === undefined ? page : page.flatMap((row) => path.all(row).flat())
    }
  } finally {
    await spool.close()
  }
}

const formatInside = ({ name }: UnpackedFile, format: 'jsonl' | 'csv'): 'jsonl' | 'csv' => {
  const own = formatOfFile(name)
  return own === 'jsonl' || own === 'csv' ? own : format
}

/** By what the server says; anything unknown is taken for JSON, which then says so if it is none. */
function formatOf(contentType: string, path: string): Known {
  const type = contentType.split(';')[0]!.trim().toLowerCase()
  if (/^(text|application)\/csv$|^text\/tab-separated-values$/.test(type)) return 'csv'
  if (/^application\/(x-)?(ndjson|jsonl|jsonlines|json-lines)$|^application\/json-seq$/.test(type)) return 'jsonl'
  if (/^(text|application)\/xml$|\+xml$/.test(type) && !/xhtml/.test(type)) return 'xml'
  const isFile = /^application\/(octet-stream|(x-)?gzip|zip|x-zip-compressed)$/.test(type)
  return (isFile ? formatOfFile(path) : undefined) ?? 'json'
}

/** By the ending of a name, packed or not. */
function formatOfFile(name: string | undefined): Known | undefined {
  const ending = /\.(csv|tsv|jsonl|ndjson|json|xml)(\.gz|\.zip)?$/i.exec(name ?? '')?.[1]?.toLowerCase()
  if (ending === 'tsv') return 'csv'
  return ending === 'ndjson' ? 'jsonl' : (ending as Known | undefined)
}

/** An error's text is for people; more than this nobody reads. */
async function beginningOf(raw: RawAnswer): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of raw.body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > errorLimit) break
  }
  return Buffer.concat(chunks)
}

/** The body of an error is looked at by response actions; it need not be JSON. */
function leniently(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}
