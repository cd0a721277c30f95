import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { inputs } from './input-list.ts'

/** Tried where what they are about is tested. */
const elsewhere: Record<number, [file: string, title: string]> = {
  42: ['dashboard/behaviour.test.ts', 'shows what a hostile API sends, and does nothing that it says'],
  43: ['mcp/attacks.test.ts', 'is marked as data, and cannot end the mark'],
  44: ['mcp/attacks.test.ts', 'only reads: what would write, read files, reach out or never end is refused'],
}

it('each input is tried', () => {
  const tests = readdirSync(import.meta.dirname).map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'))
  const tried = new Set(tests.flatMap((text) => [...text.matchAll(/badInput\(\s*(\d+),/g)].map(([, n]) => Number(n))))
  for (const [number, [file, title]] of Object.entries(elsewhere)) {
    expect(readFileSync(join(import.meta.dirname, '..', file), 'utf8')).toContain(`'${title}'`)
    tried.add(Number(number))
  }
  const all = Array.from({ length: 45 }, (_, at) => at + 1)
  expect([...tried].sort((a, b) => a - b)).toEqual(all)
  expect(Object.keys(inputs).map(Number)).toEqual(all)
})

it('docs/reliability.md tells them all', () => {
  const rows = Object.entries(inputs).map(([number, [input, result]]) => `| ${number} | ${input} | ${result} |`)
  const page = readFileSync(join(import.meta.dirname, '../../docs/reliability.md'), 'utf8')
  for (const row of rows) expect(page, 'npm run docs:reliability').toContain(row)
})
