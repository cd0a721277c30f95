import { PipelineError } from '../../../errors/index.ts'
import { jsonPath, parseJson, parseLongJson } from '../../../extract/index.ts'
import type { RestResponse } from '../request.ts'
import type { CsvOptions, ResponseFormat, XmlOptions } from '../spec.ts'
import { limited, readBytes, type RawAnswer } from '../http/transport.ts'
import { csvRows } from './csv.ts'
import { isOnlyError, messageIn } from '../error-in-body.ts'
import { jsonLines } from './json-lines.ts'
import { NotInFormat, notJson } from './not-in-format.ts'
import { charsetOfXml, decodedText, looseTextOf, textOf } from './charset.ts'
import { Spool } from './spool.ts'
import { checkPacked, unpackAll, unpackedFiles } from './unpack.ts'
import { parseXml } from './xml.ts'

/** How answers are to be read. */
export interface FormatOptions {
  format: ResponseFormat
  csv?: CsvOptions | undefined
  xml?: XmlOptions | undefined
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
  const { status, headers, url, signal } = raw
  const answer = { status, headers, url }
  if (status >= 300) {
    const text = looseTextOf(await beginningOf(raw))
    return { ...answer, text, body: leniently(text) }
  }
  const type = headers.get('content-type') ?? ''
  const charset = options.charset ?? /charset="?([\w.:-]+)/i.exec(type)?.[1]
  const name = fileNameOf(headers) ?? url.pathname
  const format = options.format === 'auto' ? formatOf(type, name) : options.format
  if (format === 'jsonl' || format === 'csv') {
    const delimiter = isTabbed(mediaType(type)) || formatOfFile(name) === 'tsv' ? '\t' : undefined
    const about = { charset, limit: maxBytes ?? streamLimit, url, delimiter }
    const rows = await fileRows(raw, format, about, options)
    return { ...answer, text: '', ...(rows === undefined ? { body: [] } : { body: undefined, rows }) }
  }
  const limit = maxBytes ?? wholeLimit
  const files = await unpackAll(await readBytes(raw, limit), { limit, url, signal })
  const texts = files.map(({ name, bytes }) => {
    const own = formatOfFile(name) ?? format
    return { own, text: textOf(bytes, charset ?? (own === 'xml' ? charsetOfXml(bytes) : undefined)) }
  })
  const [first] = texts
  if (status === 204 || (texts.length === 1 && first!.text.trim() === '')) return { ...answer, text: '', body: [] }
  const bodies: unknown[] = []
  for (const { own, text } of texts) bodies.push(await (own === 'xml' ? parseXml(text, options.xml) : parsedJson(text)))
  const text = texts.map((one) => one.text).join('\n')
  return { ...answer, text, body: bodies.length === 1 ? bodies[0] : bodies }
}

interface AboutFile {
  charset: string | undefined
  limit: number
  url: URL
  delimiter: string | undefined
}

/**
 * The rows of a download, which is on disk, whole and unpackable when this returns, and whose first rows can be read. `undefined`
 * for one that is empty, where only its content type says that it is a file: a declared format says that a file may be empty.
 */
async function fileRows(
  { body, signal }: RawAnswer,
  format: 'jsonl' | 'csv',
  about: AboutFile,
  options: FormatOptions,
): Promise<AsyncIterableIterator<unknown[]> | undefined> {
  const { limit, url } = about
  const spool = await Spool.from(limited(body, limit, url))
  try {
    if (options.format === 'auto' && (await isBlank(spool))) {
      await spool.close()
      return undefined
    }
    await refuseOtherFormat(spool, format)
    await checkPacked(spool, { limit, url, signal })
  } catch (error) {
    await spool.close()
    throw error
  }
  const rows = rowsOf(spool, format, about, options)
  return startingWith(await rows.next(), rows)
}

/** Closes the download also when nobody asks for a row, which a generator that has not begun would not. */
function startingWith(
  first: IteratorResult<unknown[], void>,
  rest: AsyncGenerator<unknown[], void>,
): AsyncIterableIterator<unknown[]> {
  let held: typeof first | undefined = first
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next() {
      const given = held
      held = undefined
      return given === undefined ? rest.next() : Promise.resolve(given)
    },
    return: () => rest.return(),
  }
}

const headBytes = 64 * 1024

const isBlank = async (spool: Spool): Promise<boolean> =>
  spool.size <= headBytes && (await spool.slice(0, headBytes)).toString().trim() === ''

/** A login page or an error in place of a file: read as CSV or JSONL it would be a short table. */
async function refuseOtherFormat(spool: Spool, format: 'jsonl' | 'csv'): Promise<void> {
  const head = (await spool.slice(0, headBytes))
    .toString()
    .replace(/^\ufeff/, '')
    .trimStart()
  if (head.startsWith('<')) throw new NotInFormat(/^<\?xml/i.test(head) ? 'XML' : 'an HTML page')
  if (!head.startsWith('{') || spool.size > headBytes) return
  const body = leniently(head)
  if (typeof body !== 'object' || body === null || (format === 'jsonl' && !isOnlyError(body))) return
  const said = messageIn(body)
  throw new NotInFormat(`a JSON object in place of rows${said === '' ? '' : `: ${said}`}`)
}

async function parsedJson(text: string): Promise<unknown> {
  try {
    return await parseLongJson(text)
  } catch (error) {
    throw error instanceof PipelineError ? error : notJson(text, error)
  }
}

/** The rows of a file, or of the files in it; the file is gone when they are through, or when nobody wants more. */
async function* rowsOf(
  spool: Spool,
  format: 'jsonl' | 'csv',
  about: AboutFile,
  { csv, selector }: FormatOptions,
): AsyncGenerator<unknown[], void> {
  const path = selector === undefined || selector === '' ? undefined : jsonPath(selector)
  try {
    for await (const file of unpackedFiles(spool)) {
      const text = decodedText(limited(file.bytes, about.limit, about.url), about.charset)
      const inside = formatOfFile(file.name)
      const expected = inside === 'tsv' ? '\t' : inside === 'csv' ? undefined : about.delimiter
      const isLines = inside === 'jsonl' || (format === 'jsonl' && inside !== 'csv' && inside !== 'tsv')
      const rows = isLines ? jsonLines(text, file.name) : csvRows(text, { name: file.name, expected }, csv)
      for await (const page of rows) yield path === undefined ? page : page.flatMap((row) => path.all(row).flat())
    }
  } finally {
    await spool.close()
  }
}

/** By what the server says; anything unknown is taken for JSON, which then says so if it is none. */
function formatOf(contentType: string, name: string): Known {
  const type = mediaType(contentType)
  if (isTabbed(type) || /^(text|application)\/(x-)?(csv|comma-separated-values)$/.test(type)) return 'csv'
  if (/^application\/(x-)?(ndjson|jsonl|jsonlines|json-lines)$|^application\/json-seq$/.test(type)) return 'jsonl'
  if (/^(text|application)\/xml$|\+xml$/.test(type) && !/xhtml/.test(type)) return 'xml'
  const isFile = /^application\/(octet-stream|(x-)?gzip|zip|x-zip-compressed)$|^text\/plain$/.test(type)
  const byName = isFile ? formatOfFile(name) : undefined
  return byName === 'tsv' ? 'csv' : (byName ?? 'json')
}

const mediaType = (contentType: string): string => contentType.split(';')[0]!.trim().toLowerCase()
const isTabbed = (type: string): boolean => /^(text|application)\/(x-)?(tab-separated-values|tsv)$/.test(type)

/** By the ending of a name, packed or not. */
function formatOfFile(name: string | undefined): Known | 'tsv' | undefined {
  const ending = /\.(csv|tsv|tab|jsonl|ndjson|json|xml)(\.gz|\.zip)?$/i.exec(name ?? '')?.[1]?.toLowerCase()
  if (ending === 'tab') return 'tsv'
  return ending === 'ndjson' ? 'jsonl' : (ending as Known | 'tsv' | undefined)
}

/** The name under which the server offers a download. */
function fileNameOf(headers: Headers): string | undefined {
  const disposition = headers.get('content-disposition') ?? ''
  const [, encoded, quoted, plain] =
    /filename\*=[\w-]*'[^']*'([^;\s]+)|filename="([^"]*)"|filename=([^;\s"]+)/i.exec(disposition) ?? []
  return encoded ?? quoted ?? plain
}

/** An error's text is for people; more than this nobody reads. What cannot be unpacked is still an error of that status. */
async function beginningOf(raw: RawAnswer): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of raw.body) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > errorLimit) break
    }
  } catch (error) {
    if (!(error instanceof NotInFormat)) throw error
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
