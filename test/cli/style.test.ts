import { expect, it } from 'vitest'
import { clean, table, wrap } from '../../src/cli/style.ts'

it('text from outside does not drive the terminal', () => {
  expect(clean('\u001b]0;title\u0007\u001b[2Jx\u009b31my\u007f\nz', 80)).toBe('·]0;title··[2Jx·31my·↵z')
  expect(table([{ name: 'a\u001b[31m' }])).not.toContain('\u001b[31m')
})

it('rows and lines fit the screen', () => {
  const row = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`column_${at}`, 'x'.repeat(30)]))
  const lines = table([row, row]).split('\n')
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80)
  expect(lines.at(-1)).toContain('more column')
  for (const line of wrap('word '.repeat(50).trim(), 20)) expect(line.length).toBeLessThanOrEqual(20)
})
