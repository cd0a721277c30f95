import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { DelimitedWriter } from '../../src/normalize/delimited.ts'
import { cellsOfLine } from '../../src/normalize/index.ts'
import { fc } from '../support/seed.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-lines-'))
let used = 0

it('the cells of a line are those that were written, except where a row spans lines', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('"', ',', 'a', ' ', '\n') }))
  const rows = fc.array(fc.tuple(fc.option(text), fc.option(fc.integer()), fc.option(text)), { minLength: 1 })
  fc.assert(
    fc.property(rows, (written) => {
      const options = { takesNul: true, fileBytes: Infinity }
      const writer = new DelimitedWriter('t', ['a', 'b', 'c'], () => join(folder, String(++used)), options)
      for (const row of written)
        writer.add(
          row.map((cell) => cell?.toString()),
          ['text', 'plain', 'json'],
        )
      const [file] = writer.finish()
      const lines = readFileSync(file!.path, 'utf8').split('\n')
      for (const row of written) {
        const line = lines.shift()!
        if (row.every((cell) => !String(cell).includes('\n'))) {
          expect(cellsOfLine(line)).toEqual(row.map((cell) => cell?.toString() ?? null))
          continue
        }
        expect(cellsOfLine(line)).toBeUndefined()
        const breaks = row.reduce<number>((sum, cell) => sum + String(cell).split('\n').length - 1, 0)
        lines.splice(0, breaks)
      }
    }),
  )
})
