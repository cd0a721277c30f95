import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OlderStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { writeSecret } from '../../src/index.ts'
import { serve, simulation } from '../../src/testing/index.ts'
import { assistant, assistantHere, main } from '../support/assistant.ts'

const sourceFile = (baseUrl: string, { path = 'operators', selector = 'result' } = {}): string => `name: shop
client:
  base_url: ${baseUrl}
  auth: { type: bearer, token: { secret: token } }
resource_defaults:
  primary_key: id
  write_disposition: merge
resources:
  - name: operators
    endpoint: { path: ${path}, data_selector: result, paginator: single_page }
  - name: visitors
    endpoint: { path: visitors, data_selector: ${selector}, paginator: { type: json_link, next_url_path: links.next } }
`

it(
  'a whole job: find a source, make it, run it, find what is wrong, put it right, query',
  { timeout: 180_000 },
  async () => {
    const simulated = simulation('chaport', { size: 60, seed: 1 })!
    const server = await serve(simulated)
    onTestFinished(() => server.close())
    const { folder, call } = await assistant({ args: ['--allow-run'] })

    // Find: nothing of that name is included; an OpenAPI file of the project is.
    expect((await call('search_sources', { query: 'chaport' })).data).toMatchObject({ sources: [{ name: 'chaport' }] })
    writeFileSync(
      join(folder, 'shop.openapi.json'),
      JSON.stringify({
        openapi: '3.1.0',
        info: { title: 'Shop', description: 'Visitors of a shop', version: '1' },
        servers: [{ url: server.baseUrl }],
        paths: { '/visitors': { get: { responses: { 200: { description: 'ok' } } } } },
      }),
    )
    const found = await call('search_sources', { query: 'visitors of the shop' })
    expect(found.data).toMatchObject({
      sources: [{ name: 'shop.openapi.json', kind: 'openapi', resources: ['/visitors'] }, {}],
    })
    expect((await call('get_source_docs', { source: 'chaport' })).text).toContain('How do I authenticate')

    // Make it; the first try has a mistake in its grammar and is told so.
    const wrong = await call('write_source_file', {
      path: 'shop.source.yaml',
      text: sourceFile(server.baseUrl).replace('data_selector', 'data_selecter'),
    })
    expect(wrong.data).toMatchObject({ findings: [{ level: 'error' }] })
    // The path of operators and the selector of visitors are wrong: planted, and nothing that reading can tell.
    const planted = sourceFile(server.baseUrl, { path: 'operatorz', selector: 'results' })
    expect((await call('write_source_file', { path: 'shop.source.yaml', text: planted })).text).toContain(
      'exists already',
    )
    const written = await call('write_source_file', { path: 'shop.source.yaml', text: planted, overwrite: true })
    expect(written.data).toMatchObject({ source: 'shop', resources: ['operators', 'visitors'] })
    expect(
      (written.data as { findings: { level: string }[] }).findings.filter(({ level }) => level === 'error'),
    ).toEqual([])

    // Secrets: only their state; a person sets the value.
    expect((await call('secrets_list')).data).toMatchObject({
      secrets: [{ key: 'sources.shop.token', status: 'missing' }],
    })
    const placed = await call('secrets_write_placeholders', {
      secrets: [{ key: 'sources.shop.token', hint: 'from Settings, API' }],
    })
    expect(placed.data).toMatchObject({ written: ['sources.shop.token'] })
    expect((await call('secrets_check', { source: 'shop.source.yaml' })).data).toMatchObject({
      checks: [{ outcome: 'missing' }],
    })
    writeSecret('sources.shop.token', simulated.secret[1], folder)
    expect((await call('secrets_list')).data).toMatchObject({
      secrets: [{ status: 'set', where: '.sluice/secrets.toml' }],
    })

    // Run: it fails, and the reason is found.
    const failed = await call('run_pipeline', { target: 'shop.source.yaml' })
    expect(failed.data).toMatchObject({ ok: false, error: { code: 'HTTP_STATUS' } })
    const why = await call('explain_failure', { pipeline_name: 'shop' })
    expect(why.data).toMatchObject({
      status: 'failed',
      findings: [
        {
          classification: 'config',
          resource: 'operators',
          next_command: 'sluice source probe shop.source.yaml --resources operators',
          needs_a_person: false,
        },
      ],
    })
    expect(why.text).toContain('operatorz')
    const requests = await call('read_requests', { pipeline_name: 'shop', failed_only: true })
    expect(requests.data).toMatchObject({ requests: [{ status: 404, resource: 'operators' }] })

    // Put right; it runs, but one resource brings nothing.
    await call('write_source_file', {
      path: 'shop.source.yaml',
      text: sourceFile(server.baseUrl, { selector: 'results' }),
      overwrite: true,
    })
    expect((await call('run_pipeline', { target: 'shop.source.yaml' })).data).toMatchObject({ ok: true })
    const empty = await call('explain_failure', { pipeline_name: 'shop' })
    expect(empty.data).toMatchObject({ status: 'done', findings: [{ resource: 'visitors' }] })
    expect(empty.text).toContain('data_selector')
    const probed = await call('probe_source', { path: 'shop.source.yaml', resources: ['visitors'] })
    expect(probed.data).toMatchObject({ resources: [{ resource: 'visitors', status: 200, rows: 0 }] })

    await call('write_source_file', { path: 'shop.source.yaml', text: sourceFile(server.baseUrl), overwrite: true })
    const done = await call('run_pipeline', { target: 'shop.source.yaml', page_limit: 100 })
    expect(done.data).toMatchObject({ ok: true, pipeline: 'shop' })
    expect((await call('explain_failure', { pipeline_name: 'shop' })).data).toMatchObject({ findings: [] })
    expect((await call('compare_runs', { pipeline_name: 'shop' })).data).toMatchObject({
      tables: [{ name: 'operators' }, { name: 'visitors', before: null, after: 60 }],
    })

    // Query.
    expect((await call('list_pipelines')).data).toMatchObject({
      pipelines: [{ name: 'shop', last_run: { status: 'done' } }],
    })
    expect((await call('list_tables', { pipeline_name: 'shop' })).text).toContain('visitors')
    expect((await call('get_row_counts', { pipeline_name: 'shop' })).data).toMatchObject({
      rows: expect.arrayContaining([{ table: 'visitors', rows: 60 }]) as never,
    })
    const schema = await call('get_table_schema', { pipeline_name: 'shop', table_name: 'visitors' })
    expect(schema.data).toMatchObject({ destination: 'duckdb', sql_identifier: '"shop_dataset"."visitors"' })
    const { sql_identifier: table } = schema.data as { sql_identifier: string }
    const count = await call('execute_sql_query', {
      pipeline_name: 'shop',
      sql_select_query: `select count(*) as n from ${table}`,
    })
    expect(count.data).toMatchObject({ columns: [{ name: 'n' }], rows: [[60]] })

    // Pages: all rows, none twice.
    const ids: unknown[] = []
    let cursor: string | undefined
    do {
      const sql = `select id from ${table} order by id`
      const page = await call('execute_sql_query', {
        pipeline_name: 'shop',
        sql_select_query: sql,
        limit: 25,
        ...(cursor === undefined ? {} : { cursor }),
      })
      const { rows, next_cursor: next } = page.data as { rows: unknown[][]; next_cursor?: string }
      ids.push(...rows.flat())
      cursor = next
    } while (cursor !== undefined)
    expect(new Set(ids).size).toBe(60)
    expect(ids).toHaveLength(60)
    expect(
      (await call('preview_table', { pipeline_name: 'shop', table_name: 'operators', columns: ['id'], limit: 2 })).data,
    ).toMatchObject({ next_cursor: 'rows-2' })
    expect((await call('export_schema', { pipeline_name: 'shop' })).text).toContain('erDiagram')
    expect((await call('list_runs', { pipeline_name: 'shop', limit: 2 })).data).toMatchObject({
      runs: [{}, {}],
      next_cursor: expect.any(String) as never,
    })
    expect((await call('run_summary', { pipeline_name: 'shop' })).data).toMatchObject({
      status: 'done',
      resources: [{}, {}],
    })
    expect((await call('get_pipeline_state', { pipeline_name: 'shop' })).isError).toBe(false)
    // The secret was nowhere in all this; here it would be, were it not hidden.
    expect(readFileSync(join(folder, '.sluice', 'secrets.toml'), 'utf8')).toContain(simulated.secret[1])
    expect(existsSync(join(folder, 'shop.duckdb'))).toBe(true)
  },
)

describe('what the server says of itself', () => {
  it('tools have titles, descriptions, annotations and schemas of their results; instructions begin with what matters', async () => {
    const { client } = await assistantHere()
    const { tools } = await client.listTools()
    expect(tools.length).toBeGreaterThan(20)
    for (const one of tools) {
      expect(one.title, one.name).toBeTruthy()
      expect(one.description!.length, one.name).toBeGreaterThan(40)
      expect(one.outputSchema, one.name).toMatchObject({ type: 'object' })
      for (const hint of ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'])
        expect(one.annotations, one.name).toHaveProperty(hint, expect.any(Boolean))
    }
    const writing = tools.filter(({ annotations }) => annotations?.readOnlyHint !== true).map(({ name }) => name)
    expect(writing.sort()).toEqual([
      'draft_source_from_openapi',
      'run_pipeline',
      'secrets_write_placeholders',
      'write_source_file',
    ])
    const asking = tools.filter(({ annotations }) => annotations?.openWorldHint === true).map(({ name }) => name)
    expect(asking.sort()).toEqual(['probe_source', 'run_pipeline', 'secrets_check'])
    expect(client.getInstructions()!.slice(0, 512)).toMatch(
      /list_pipelines.*search_sources.*explain_failure.*Never ask for a value/s,
    )
  })

  it('resources and prompts: schemas and runs, skills as commands, names completed', async () => {
    const { client, call } = await assistantHere({ allowsRuns: true })
    const simulated = simulation('chaport', { size: 5, seed: 1 })!
    const server = await serve(simulated)
    onTestFinished(() => server.close())
    await call('write_source_file', {
      path: 'shop.source.yaml',
      text: sourceFile(server.baseUrl).replace(/ {2}auth.*\n/, ''),
    })
    // Without credentials it fails; that is a run, too.
    await call('run_pipeline', { target: 'shop.source.yaml' })
    const { resources } = await client.listResources()
    const run = resources.find(({ uri }) => uri.startsWith('run://shop/'))!
    expect(resources.map(({ uri }) => uri)).toContain('pipeline://shop/schema')
    const { contents } = await client.readResource({ uri: run.uri })
    expect((contents[0] as { text: string }).text).toContain('"status": "failed"')
    await expect(client.readResource({ uri: 'run://shop/nothing' })).rejects.toThrow('there is no run')
    const { prompts } = await client.listPrompts()
    expect(prompts.map(({ name }) => name).sort()).toEqual([
      'debug-pipeline',
      'explore-data',
      'find-source',
      'new-endpoint',
    ])
    const { messages } = await client.getPrompt({ name: 'find-source', arguments: { about: 'GitHub issues' } })
    expect(messages[0]!.content).toMatchObject({
      text: expect.stringMatching(/# Find a source[^]*GitHub issues/) as never,
    })
    const completed = await client.complete({
      ref: { type: 'ref/resource', uri: 'pipeline://{pipeline}/schema' },
      argument: { name: 'pipeline', value: 'sh' },
    })
    expect(completed.completion.values).toEqual(['shop'])
  })

  it('toolkits are read without being installed', async () => {
    const { call } = await assistantHere()
    expect((await call('list_toolkits')).text).toContain('rest-api-pipeline')
    const info = await call('toolkit_info', { name: 'rest-api-pipeline', skill: 'find-source' })
    expect(info.data).toMatchObject({ skill_text: expect.stringContaining('# Find a source') as never })
    expect((await call('toolkit_info', { name: 'nothing' })).text).toMatch(
      /there is no toolkit "nothing"\nfix: use one of: /,
    )
    expect((await call('get_workspace_info')).data).toMatchObject({ may_run_pipelines: false, installed_toolkits: [] })
  })

  it('groups of tools are left out on demand', { tags: ['slow'] }, async () => {
    const { client } = await assistant({ args: ['--features=-secrets,-run'] })
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names.filter((name) => name.startsWith('secrets_') || name === 'run_pipeline')).toEqual([])
    expect(names).toContain('list_pipelines')
  })

  it('speaks with clients of the older protocol', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-mcp-'))
    const client = new OlderClient({ name: 'older', version: '1' })
    await client.connect(
      new OlderStdio({
        command: process.execPath,
        args: [main, 'ai', 'mcp'],
        cwd: folder,
        env: { PATH: process.env.PATH!, HOME: folder, SLUICE_DATA_DIR: join(folder, 'data') },
      }),
    )
    onTestFinished(() => client.close())
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('execute_sql_query')
    const answer = await client.callTool({ name: 'list_pipelines', arguments: {} })
    expect(answer.structuredContent).toEqual({ pipelines: [] })
  })
})
