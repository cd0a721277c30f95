import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

/** Uses of the machine's folder for temporary files; everybody can list it, and make a file or a link in it. */
const uses = globSync('src/**/*.ts').flatMap((file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /\btmpdir\(/.test(line))
    .map((line) => `${file}: ${line.trim()}`),
)

it('temporary files are in folders made by mkdtemp, which only their user can read', () => {
  expect(uses.length).toBeGreaterThan(5)
  expect(uses.filter((use) => !/mkdtempSync\(join\(tmpdir\(\), '[\w-]+-'\)\)|'\$\{name\}-'/.test(use))).toEqual([])
})
