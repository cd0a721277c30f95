import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { tiered } from '../support/effort.ts'

const run = promisify(execFile)
const root = new URL('../../', import.meta.url)
const text = readFileSync(new URL('docs/loading.md', root), 'utf8')
const examples = [...text.matchAll(/^## (.+)$|^```ts\n([^]*?)^```$/gm)].reduce<{ title: string; code: string }[]>(
  (found, [, heading, code]) => {
    if (heading !== undefined) found.push({ title: heading, code: '' })
    else if (found.at(-1)!.code === '') found.at(-1)!.code = code!
    else found.push({ title: `${found.at(-1)!.title} (more)`, code: code! })
    return found
  },
  [],
)

/** What the comments behind `console.log` say is printed, line by line. */
const promised = (code: string): string[] =>
  [...code.matchAll(/console\.log\(.*\)(?: \/\/ |\n\/\/ )(.+)$/gm)].map((match) => match[1]!)

const shown = examples.filter((example) => example.code !== '')

for (const [{ title, code }, options] of tiered(shown, 3))
  it(`docs/loading.md: ${title}`, options, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-docs-'))
    // Beside the sources, so that the example's own imports are found; removed again below.
    const script = fileURLToPath(new URL(`test/docs/.example-${process.pid}-${Date.now()}.ts`, root))
    writeFileSync(script, code.replaceAll("'sluice'", "'../../src/index.ts'"))
    try {
      const env = { ...process.env, SLUICE_DATA_DIR: join(folder, 'data'), NO_COLOR: '1' }
      const { stdout } = await run(process.execPath, [script], { cwd: folder, env })
      for (const line of promised(code)) expect(stdout).toContain(line)
    } finally {
      rmSync(script)
    }
  })
