import { NotInFormat } from './not-in-format.ts'

/** The text of bytes: by the mark they begin with, by the character set that is said, else UTF-8. Throws `NotInFormat`. */
export function textOf(bytes: Uint8Array, charset: string | undefined): string {
  return exactly(() => decoderFor(bytes, charset).decode(bytes))
}

/** The same piece by piece. */
export async function* decodedText(
  bytes: AsyncIterable<Uint8Array>,
  charset: string | undefined,
): AsyncGenerator<string> {
  let decoder: InstanceType<typeof TextDecoder> | undefined
  for await (const chunk of bytes) {
    decoder ??= decoderFor(chunk, charset)
    yield exactly(() => decoder!.decode(chunk, { stream: true }))
  }
  if (decoder !== undefined) yield exactly(() => decoder!.decode())
}

/** Text for people, whatever it is. */
export const looseTextOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

function exactly(decode: () => string): string {
  try {
    return decode()
  } catch (error) {
    // Replaced characters would be lost for good, and nobody would know.
    throw new NotInFormat('bytes that are not UTF-8; if they are in another character set, name it: charset', {
      cause: error,
    })
  }
}

function decoderFor(bytes: Uint8Array, charset: string | undefined): InstanceType<typeof TextDecoder> {
  // A mark tells what the bytes are; what a header or a declaration says is often a default.
  const named = byMark(bytes) ?? charset
  try {
    return new TextDecoder(named ?? 'utf-8', { fatal: true })
  } catch {
    // Names that nobody knows stand for UTF-8 more often than not; if it is not, that is told.
    return new TextDecoder('utf-8', { fatal: true })
  }
}

/** The character set that an XML document declares, for `textOf`. One of two bytes a character cannot be declared in ASCII. */
export function charsetOfXml(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 200)).toString('latin1')
  if (start.startsWith('<\0')) return 'utf-16le'
  if (start.startsWith('\0<')) return 'utf-16be'
  const [, declared] = /^<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(start) ?? []
  return declared === undefined || /^(utf-?16|utf-?32|ucs-|iso-10646)/i.test(declared) ? undefined : declared
}

function byMark([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined
}
