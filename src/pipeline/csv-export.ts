import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import type { RowObject } from '../destinations/index.ts'

/** Writes pages of rows as CSV, as fast as the disk takes them. */
export async function writeCsv(path: string, pages: AsyncIterable<RowObject[]>): Promise<number> {
  const file = createWriteStream(path)
  let names: string[] | undefined
  let rows = 0
  try {
    for await (const page of pages) {
      if (names === undefined && page.length > 0) {
        names = Object.keys(page[0]!)
        file.write(`${names.map(quoted).join(',')}\n`)
      }
      rows += page.length
      const lines = page.map((row) => names!.map((name) => cell(row[name])).join(','))
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
