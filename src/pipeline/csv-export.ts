import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import type { QueryResult } from '../destinations/index.ts'

/** Writes a result as CSV with a header, as fast as the disk takes it; returns the number of rows. */
export async function writeCsv(path: string, { columns, pages }: QueryResult): Promise<number> {
  const file = createWriteStream(path)
  const names = columns.map(({ name }) => name)
  let rows = 0
  try {
    file.write(`${names.map(quoted).join(',')}\n`)
    for await (const page of pages) {
      rows += page.length
      const lines = page.map((row) => names.map((name) => cell(row[name])).join(','))
      if (lines.length > 0 && !file.write(`${lines.join('\n')}\n`)) await once(file, 'drain')
    }
  } finally {
    file.end()
    await finished(file)
  }
  return rows
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (value instanceof Uint8Array) return quoted(Buffer.from(value).toString('base64'))
  return quoted(typeof value === 'object' ? JSON.stringify(value) : String(value))
}
