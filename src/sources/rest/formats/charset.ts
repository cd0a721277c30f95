import { NotInFormat } from './not-in-format.ts'

/** The text of bytes: by the character set that is said, by the mark they begin with, else UTF-8. Throws `NotInFormat`. */
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
  const named = charset ?? byMark(bytes)
  try {
    return new TextDecoder(named ?? 'utf-8', { fatal: true })
  } catch {
    // Names that nobody knows stand for UTF-8 more often than not; if it is not, that is told.
    return new TextDecoder('utf-8', { fatal: true })
  }
}

function byMark([first, second]: Uint8Array): string | undefined {
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined
}
