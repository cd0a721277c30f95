import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { decimal, pipeline, tableTypes } from '../../src/index.ts'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { runCommand } from '../../src/cli/run-command.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-types-'))

it('types of loaded tables compile, and say what reading gives', async () => {
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  const loading = pipeline({ name: 'typed', dataset: 'd', destination: duckdb({ path: join(folder, 't.duckdb') }) })
  const row = {
    id: 1,
    text: 'x',
    price: decimal('1.50'),
    share: 0.5,
    yes: true,
    at: '2026-01-01T00:00:00Z',
    bytes: Buffer.from('x'),
    data: { a: 1 },
    '2nd': 1,
    tags: [{ name: 'a' }],
  }
  const columns = {
    id: { nullable: false, description: 'the id */ const injected = 1' },
    data: { dataType: 'json' },
  } as const
  await loading.run([row], { tableName: 'things', columns })
  const text = tableTypes(await loading.schemas(), 'typed')
  expect(text).toMatchInlineSnapshot(`
    "// Written by: sluice types typed. Write it again when the schema has changed.

    /** A whole number; beyond ±2^53 it comes as text. */
    export type Integer = number | string

    export interface Tables {
      things: {
        data: string | null
        /** the id * / const injected = 1 */
        id: Integer
        text: string | null
        price: string | null
        share: number | null
        yes: boolean | null
        at: string | null
        bytes: Uint8Array | null
        _2nd: Integer | null
        _dlt_load_id: string
        _dlt_id: string
      }
      things__tags: {
        name: string | null
        _dlt_parent_id: string
        _dlt_list_idx: Integer
        _dlt_id: string
      }
    }
    "
  `)
  writeFileSync(join(folder, 'typed.tables.ts'), text)
  const use = `import type { Tables } from './typed.tables.ts'\nexport const one = (row: Tables['things']): number | string => row.id\n`
  writeFileSync(join(folder, 'use.ts'), use)
  const options = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--allowImportingTsExtensions',
    '--module',
    'nodenext',
    '--target',
    'es2024',
  ]
  execFileSync('npx', ['tsc', ...options, join(folder, 'use.ts')], { stdio: 'pipe' })
})

it('the command writes them, and tells when they are old', async () => {
  process.env.SLUICE_DATA_DIR = join(folder, 'data-2')
  const path = join(folder, 'typed2.duckdb')
  process.env.DESTINATION__DUCKDB__CREDENTIALS = path
  const out = join(folder, 'out.ts')
  try {
    const loading = pipeline({ name: 'typed2', dataset: 'd', destination: 'duckdb' })
    await loading.run([{ id: 1 }], { tableName: 'things' })
    expect(await runCommand('types', ['typed2', '--out', out, '--check'])).toBe(1)
    expect(await runCommand('types', ['typed2', '--out', out])).toBe(0)
    expect(await runCommand('types', ['typed2', '--out', out, '--check'])).toBe(0)
    expect(readFileSync(out, 'utf8')).toContain('things: {\n    id: Integer | null\n')
    await loading.run([{ id: 2, more: 'x' }], { tableName: 'things' })
    expect(await runCommand('types', ['typed2', '--out', out, '--check'])).toBe(1)
    expect(await runCommand('types', [])).toBe(2)
    expect(await runCommand('types', ['nothing-there'])).toBe(1)
  } finally {
    delete process.env.DESTINATION__DUCKDB__CREDENTIALS
  }
})
