import { decompressed, type Compression } from '../formats/decompress.ts'
import { NotInFormat } from '../formats/not-in-format.ts'

const compressions: Record<string, Compression> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'br',
  zstd: 'zstd',
}
/** Each layer multiplies what a few bytes can become. */
const mostLayers = 5

/** The default `Accept-Encoding` of requests. */
export const acceptedCodings = (url: URL): string => (url.protocol === 'https:' ? 'br, gzip, deflate' : 'gzip, deflate')

/**
 * A body as it was before `Content-Encoding`. A coding that is unknown leaves all of it as it came: servers write character
 * sets and storage formats there. Throws `NotInFormat` while it is read.
 */
export function withoutCodings(body: AsyncIterable<Uint8Array>, headers: Headers): AsyncIterable<Uint8Array> {
  const names = (headers.get('content-encoding') ?? '').split(',').map((name) => name.trim().toLowerCase())
  const codings = names.filter((name) => name !== '' && name !== 'identity')
  if (codings.length > mostLayers) return refused(`${codings.length} layers of content encoding`)
  if (codings.some((name) => !Object.hasOwn(compressions, name))) return body
  return codings.reduceRight((inner, name) => decompressed(inner, compressions[name]!), body)
}

// oxlint-disable-next-line require-yield
async function* refused(what: string): AsyncGenerator<Uint8Array> {
  throw new NotInFormat(what)
}
