import type { Destination, SqlDialect } from '../../src/destinations/destination.ts'

/** Strings that a literal of one database or another would change, or end at. */
export const untrusted = [
  '',
  "'",
  "''",
  "'''",
  '\\',
  '\\\\',
  "\\'",
  "'\\",
  "\\''",
  "'; DROP TABLE x; --",
  "\\'; DROP TABLE x; --",
  'a\\nb',
  'a\nb\r\nc\td',
  '\\0\\x41\\u0041\\101\\Z\\%\\_',
  '%_',
  '"`$$ $1 $& ? :a @a',
  '${env:HOME} ${x}',
  '\\${env:HOME}',
  '$\\{x}',
  '/* -- # */',
  'é名😀\u2028',
  "C:\\data\\new\\'quoted'",
] as const

/** What a database reads where these strings stand in a statement. */
export async function readBack(
  { destination, dataset }: { destination: Destination; dataset: string },
  { literal }: SqlDialect,
): Promise<unknown[]> {
  await using session = await destination.open({ pipeline: 'strings', dataset })
  const cells = untrusted.map((value, at) => `${literal(value)} AS v${at}`)
  const [row] = await session.reader.rows(`SELECT ${cells.join(', ')}`)
  return untrusted.map((_, at) => row![`v${at}`] ?? row![`V${at}`])
}
