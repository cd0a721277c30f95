import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))

/** Where the names of the package's exports stand in the sources. */
const sources: Record<string, string> = {
  "'sluice'": "'../../../src/index.ts'",
  "'sluice/actions'": "'../../../src/actions/index.ts'",
  "'sluice/inbox'": "'../../../src/inbox/index.ts'",
  "'sluice/jobs'": "'../../../src/jobs/index.ts'",
  "'sluice/telemetry'": "'../../../src/telemetry/index.ts'",
  "'sluice/rest'": "'../../../src/sources/rest/index.ts'",
  "'sluice/destinations/postgres'": "'../../../src/destinations/postgres/postgres.ts'",
  "'sluice/destinations/filesystem'": "'../../../src/destinations/filesystem/filesystem.ts'",
  "'sluice/sources/chatra'": "'../../../src/sources/chats/chatra.ts'",
  "'sluice/sources/chaport'": "'../../../src/sources/chats/chaport.ts'",
}

it('the code in README.md and in pages of docs compiles', async () => {
  const pages = ['README.md', 'docs/destinations.md', 'docs/production.md', 'docs/sources/chaport.md'].map((path) =>
    readFileSync(`${root}${path}`, 'utf8'),
  )
  const blocks = pages.flatMap((page) => [...page.matchAll(/^```ts\n([^]*?)^```$/gm)].map((match) => match[1]!))
  expect(blocks.length).toBeGreaterThan(4)
  // Below the tests, so that the compiler finds the project's types.
  const folder = `${root}test/docs/.compiled-${process.pid}`
  mkdirSync(folder, { recursive: true })
  try {
    for (const [at, block] of blocks.entries()) {
      const given = /import \{[^}]*\bpipeline\b/.test(block) ? block : `import { pipeline } from 'sluice'\n${block}`
      const code = Object.entries(sources).reduce((text, [name, path]) => text.replaceAll(name, path), given)
      writeFileSync(`${folder}/block-${at}.ts`, code)
    }
    writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ extends: '../../../tsconfig.json', include: ['*.ts'] }))
    await run(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', folder])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
