/** `explain` finds what is wrong with a run that ended well, and nothing where nothing is. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Progress } from '../../src/cli/progress.ts'
import { runSummary } from '../../src/cli/run-summary.ts'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { pipeline, type Source } from '../../src/index.ts'
import { restSource, type EndpointSpec } from '../../src/sources/rest/index.ts'
import { explainRun } from '../../src/workbench/explain-run.ts'
import { api, json } from '../support/api.ts'

interface Case {
  endpoint?: EndpointSpec
  limit?: number
  /** @default true */
  mayBeEmpty?: boolean
  /** Of the second run; the first one has three rows that nothing is wrong with. */
  body: (rows: (count: number) => object[]) => unknown
}

/** What is said of the second run: by `explain`, and at the end of the command. */
async function secondRun({
  endpoint,
  limit,
  body,
  mayBeEmpty = true,
}: Case): Promise<{ findings: string[]; summary: string }> {
  const rows = (count: number): object[] =>
    Array.from({ length: count }, (_, id) => ({ id, at: `2026-01-01T00:00:${String(id).padStart(2, '0')}Z` }))
  let isSecond = false
  const server = await api((_request, response, url) => {
    if (Number(url.searchParams.get('page')) > 1) return json(response, { data: [] })
    json(response, isSecond ? body(rows) : { data: rows(3), total: 3, links: { next: null } })
  })
  const source = (): Source =>
    restSource({
      name: 's',
      client: { baseUrl: server.baseUrl },
      resources: [
        {
          name: 'things',
          ...(endpoint?.incremental === undefined ? { writeDisposition: 'replace', allowEmpty: mayBeEmpty } : {}),
          endpoint: { path: 'list', ...endpoint },
        },
      ],
    })
  const folder = mkdtempSync(join(tmpdir(), 'sluice-explain-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  const target = pipeline({ name: 'told', dataset: 'd', destination: duckdb({ path: join(folder, 't.duckdb') }) })
  await target.run(source())
  isSecond = true
  const progress = new Progress('off')
  target.on(progress.on)
  const second = target.run(limit === undefined ? source() : source().limit(limit))
  if (!mayBeEmpty) await expect(second).rejects.toMatchObject({ code: 'NOTHING_CAME' })
  const info = mayBeEmpty ? await second : undefined
  const [run] = target.runs()
  const findings = explainRun(run!, target.requests(run!.id)).map(({ what }) => what)
  return { findings, summary: info === undefined ? '' : runSummary(info, progress) }
}

const selected = { dataSelector: 'data' }
const paged = { paginator: { type: 'page_number', basePage: 1, totalPath: null } } as const

it.each<[string, Case]>([
  [
    'only the first page, by a limit',
    { limit: 1, endpoint: { ...selected, ...paged }, body: (rows) => ({ data: rows(50) }) },
  ],
  [
    'rows that are known',
    {
      endpoint: { ...selected, incremental: { cursorPath: 'at', startParam: 'since' } },
      body: (rows) => ({ data: rows(3), total: 3 }),
    },
  ],
  ['a round number that is the total', { endpoint: selected, body: (rows) => ({ data: rows(10), total: 10 }) }],
  ['a round number and no next link', { endpoint: selected, body: (rows) => ({ data: rows(10), next: null }) }],
  ['a few rows', { endpoint: selected, body: (rows) => ({ data: rows(7) }) }],
])('nothing is wrong with %s', async (_name, given) => {
  expect((await secondRun(given)).findings).toEqual([])
})

const link = { paginator: { type: 'json_link', nextUrlPath: 'links.next' } } as const
it.each<[string, Case, RegExp[]]>([
  ['a round number of rows', { endpoint: selected, body: (rows) => ({ data: rows(20) }) }, [/one page, of exactly 20/]],
  [
    'a selector that matches nothing',
    { endpoint: selected, body: (rows) => ({ items: rows(4) }) },
    [/"things" had 3 rows and was left empty/, /nothing is at data in the first answer; there are lists at: items/],
  ],
  [
    'a path of the next page that is not there',
    { endpoint: { ...selected, ...link }, body: (rows) => ({ data: rows(10) }) },
    [/may not be complete: the response has no "links.next"/],
  ],
  ['a table left empty', { endpoint: selected, body: () => ({ data: [], total: 0 }) }, [/"things" had 3 rows/]],
])('it tells of %s, and so does the command', async (_name, given, expected) => {
  const { findings, summary } = await secondRun(given)
  expect(findings).toHaveLength(expected.length)
  for (const [at, pattern] of expected.entries()) expect(findings[at]).toMatch(pattern)
  expect(summary).not.toContain('no new rows')
})

it('a run that is refused because nothing came is told with where the rows may be', async () => {
  const { findings } = await secondRun({
    endpoint: selected,
    mayBeEmpty: false,
    body: (rows) => ({ items: rows(4) }),
  })
  expect(findings.join('\n')).toMatch(/returned no rows; replace would delete all rows of table "things"/)
  expect(findings.join('\n')).toMatch(/nothing is at data in the first answer; there are lists at: items/)
})

it('the end of a command says that a table was emptied, instead of that nothing was new', async () => {
  const empty = { endpoint: selected, body: () => ({ data: [], total: 0 }) }
  expect((await secondRun(empty)).summary).toMatch(
    /no rows were loaded, which may be wrong:\s+.*warning {2}things was emptied: it had 3 rows/,
  )
})
