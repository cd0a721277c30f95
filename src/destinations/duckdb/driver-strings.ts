import accessors from '@duckdb/node-api/lib/vectors/dataAccessors.js'

/**
 * The driver reads strings with a TextDecoder, which takes a leading U+FEFF for the mark of a file and drops it. A value has
 * no such mark, so the driver gets a decoder that keeps the character.
 */
export function keepByteOrderMarks(): void {
  const { textDecoder } = accessors as { textDecoder?: { ignoreBOM: boolean } }
  if (textDecoder?.ignoreBOM !== false) return
  Object.assign(accessors, { textDecoder: new TextDecoder('utf-8', { ignoreBOM: true }) })
}
