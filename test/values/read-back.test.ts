import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import { pipeline, type Pipeline } from '../../src/index.ts'
import { emptyTarget, engineNames } from '../support/destinations.ts'
import { fc } from '../support/seed.ts'

const mark = '\ufeff'
/** Strings that readers like to change at their ends. */
const strings = fc.oneof(
  fc.string({ unit: fc.constantFrom(mark, ' ', '\t', '\n', '\r', '"', ',', '\\', '\u0085', '\u2028', 'a', 'é', '😀') }),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => mark + text.replaceAll('\0', '')),
)

const fileFormats = ['parquet', 'jsonl', 'csv'] as const
const targets: [string, () => Promise<Pipeline>][] = engineNames.flatMap((name) => {
  if (name !== 'filesystem') return [[name, async () => (await emptyTarget(name)).target]]
  return fileFormats.map((format) => [
    `filesystem, ${format}`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'sluice-read-back-'))
      process.env.SLUICE_DATA_DIR = join(folder, 'data')
      const destination = filesystem({ bucketUrl: join(folder, 'lake'), format })
      return pipeline({ name: 'test', dataset: 'd', destination })
    },
  ])
})

describe.each(targets)('%s', (_name, open) => {
  it('reads back every string that was loaded, by every way of reading', async () => {
    const texts = [
      mark,
      `${mark}${mark}x`,
      `${mark}a string that is longer than twelve bytes`,
      ...fc.sample(strings, 200),
    ]
    const rows = texts.map((text, id) => ({ id, text, more: { list: [text], deep: { text } } }))
    const target = await open()
    await target.run(rows, { tableName: 't', columns: { more: { dataType: 'json' } } })

    const table = target.dataset().table('t').orderBy('id')
    const expected = texts.map((text) => ({ text, more: { list: [text], deep: { text } } }))
    const seen = (found: readonly Record<string, unknown>[]) =>
      found.map(({ text, more }) => ({ text, more: JSON.parse(String(more)) as unknown }))
    expect(seen(await table.toArray())).toEqual(expected)
    expect(seen(await Array.fromAsync(table.rows()))).toEqual(expected)
    expect(seen((await table.first({ rows: rows.length, bytes: 1e9 })).rows)).toEqual(expected)

    const file = join(mkdtempSync(join(tmpdir(), 'sluice-read-back-')), 'out.csv')
    await table.toCsv(file)
    expect(seen(parse(readFileSync(file, 'utf8'), { columns: true, record_delimiter: '\n' }))).toEqual(expected)
    const texted = table.select('id', 'text')
    const frame = await texted.toPolars()
    expect(frame.getColumn('text').toArray()).toEqual(texts)
    // The reader of apache-arrow drops a leading mark; the bytes have it.
    const column = (await texted.toArrow()).getChild('text')!
    expect([...column].map(String)).toEqual(texts.map((text) => (text.startsWith(mark) ? text.slice(1) : text)))
  })
})
