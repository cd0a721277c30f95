/** What an assistant sees of packages that a destination refused, and what only a person does with them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { expect, it } from 'vitest'
import { LoadRefused, pipeline, writeSecret } from '../../src/index.ts'
import { assistantHere } from '../support/assistant.ts'
import { faultyDuckdb } from '../support/faulty-duckdb.ts'

const hidden = 'the-real-token-0123456789'
const email = 'rosa@shop.example'

it('lists them without secrets, and with values of rows only where rows may be seen', async () => {
  const { folder, call, client } = await assistantHere()
  const data = process.env.SLUICE_DATA_DIR
  writeSecret('sources.shop.token', hidden, folder)
  const fault = {
    now: {
      table: 'people',
      kind: 'refuses' as const,
      from: 1,
      message: `Constraint Error: Duplicate key "email: ${email}" of ${hidden}, CSV Error on Line: 2`,
    },
  }
  const destination = faultyDuckdb(join(folder, 'shop.duckdb'), fault)
  const target = pipeline({ name: 'shop', dataset: 'd', destination })
  const rows = [{ id: 1 }, { id: 2, email, note: `with ${hidden}, "quoted"`, long: 'x'.repeat(10_000) }]
  await expect(target.run(rows, { tableName: 'people' })).rejects.toThrow(LoadRefused)
  const { loadId } = target.failedPackages()[0]!.manifest

  const open = await call('list_failed_packages', { pipeline_name: 'shop' })
  expect(open.data).toMatchObject({
    in_all: 1,
    packages: [
      {
        load_id: loadId,
        rows: 2,
        tables: [{ table: 'people', rows: 2 }],
        refusals: [{ table: 'people', line: 2, code: 'LOAD_FAILED', reason: expect.stringContaining(email) as never }],
        refused_rows: [{ table: 'people', line: 2, values: expect.any(Array) as never }],
        commands_for_a_person: { discard: `sluice pipeline shop failed-packages discard ${loadId}` },
      },
    ],
  })
  const { values } = (open.data as { packages: { refused_rows: { values: unknown[] }[] }[] }).packages[0]!
    .refused_rows[0]!
  expect(values).toContainEqual({ column: 'email', value: email })
  expect(values).toContainEqual({ column: 'note', value: 'with ***, "quoted"' })
  expect(open.text).toMatch(/^Between the two lines of data-/)
  expect(open.text.length).toBeLessThan(3000)

  const closed = await assistantHere({ features: '-pipeline' })
  process.env.SLUICE_DATA_DIR = data
  const { text } = await closed.call('list_failed_packages', { pipeline_name: 'shop' })
  expect(text).toMatch(/"line":2/)
  expect(text).toContain(`a person sees it with: sluice pipeline shop failed-packages show ${loadId}`)
  expect(text).not.toContain(email)
  for (const said of [open.text, text]) expect(said).not.toContain(hidden)

  const { tools } = await client.listTools()
  expect(tools.filter(({ name }) => /discard|retry|delete|drop/.test(name))).toEqual([])
  expect(tools.find(({ name }) => name === 'list_failed_packages')?.annotations?.readOnlyHint).toBe(true)
})

it('a run with a refused package says what was loaded all the same, and which tool goes on', async () => {
  const { folder, call } = await assistantHere({ allowsRuns: true })
  const library = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)
  writeFileSync(
    join(folder, 'shop.ts'),
    `import { resource, source } from ${library}
     export const shop = source('shop', [resource('orders', [{ id: 1 }]), resource('people', [{ id: 1 }])])`,
  )
  const run = { target: 'shop.ts', destination: 'duckdb', dataset: 'd' }
  expect((await call('run_pipeline', run)).data).toMatchObject({ ok: true })
  const instance = await DuckDBInstance.create(join(folder, 'shop.duckdb'))
  const connection = await instance.connect()
  await connection.run('create unique index own on d.people (id)')
  connection.closeSync()
  instance.closeSync()
  expect((await call('run_pipeline', run)).data).toMatchObject({
    ok: false,
    error: { code: 'LOAD_FAILED' },
    rows: [{ table: 'orders', rows: 1 }],
    next_step: expect.stringContaining('list_failed_packages') as never,
  })
})
