import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../src/extract/index.ts'
import { api } from '../support/api.ts'
import { tiered } from '../support/effort.ts'
import { load } from '../support/rest.ts'

/** What GitHub answered when the authors of Octokit recorded it. */
interface Recorded {
  method: string
  path: string
  status: number
  response: unknown
  headers: Record<string, string>
}

const root = dirname(createRequire(import.meta.url).resolve('@octokit/fixtures/package.json'))
const scenarios = join(root, 'scenarios', 'api.github.com')
const recorded = (scenario: string): Recorded[] =>
  JSON.parse(readFileSync(join(scenarios, scenario, 'normalized-fixture.json'), 'utf8')) as Recorded[]

/** Serves a recording; links in it lead to this server. */
async function replay(answers: readonly Recorded[]) {
  let baseUrl = ''
  const target = await api((request, response) => {
    const found = answers.find(({ method, path }) => method.toUpperCase() === request.method && path === request.url)
    if (found === undefined) return void response.writeHead(404).end('{}')
    const kept = Object.entries(found.headers).filter(
      ([name]) => !/^(content-(length|encoding)|transfer-encoding|x-ratelimit-.*)$/.test(name),
    )
    const headers = Object.fromEntries(
      kept.map(([name, value]) => [name, String(value).replaceAll('https://api.github.com', baseUrl)]),
    )
    response.writeHead(found.status, headers)
    response.end(found.status === 204 ? undefined : JSON.stringify(found.response))
  })
  baseUrl = target.baseUrl
  return target
}

const scalars = (row: object) =>
  Object.fromEntries(
    Object.entries(row)
      .filter(([, value]) => typeof value !== 'object' && typeof value !== 'boolean')
      .map(([name, value]) => [name, String(value)]),
  )

describe('traffic of GitHub that others recorded', () => {
  it('13 issues on 5 pages by Link headers, with labels and users, complete', async () => {
    const answers = recorded('paginate-issues')
    const target = await replay(answers)
    const { rows, info } = await load(target, [
      {
        name: 'issues',
        primaryKey: 'id',
        writeDisposition: 'merge',
        endpoint: { path: 'repos/octokit-fixture-org/paginate-issues/issues', params: { per_page: 3 } },
      },
    ])
    const all = answers.flatMap(({ response }) => response as { id: number; number: number; user: { login: string } }[])
    expect(info.rows.issues).toBe(13)
    expect(target.requests).toHaveLength(5)
    const loaded = new Map((await rows('issues')).map((row) => [String(row.id), row]))
    expect(loaded.size).toBe(all.length)
    for (const issue of all) {
      const row = loaded.get(String(issue.id))!
      expect(String(row.number)).toBe(String(issue.number))
      expect(row.user__login).toBe(issue.user.login)
    }
  })

  // Every list and every object that a scenario asked for.
  const reads = readdirSync(scenarios).flatMap((scenario) =>
    readdirSync(join(scenarios, scenario)).includes('normalized-fixture.json')
      ? recorded(scenario)
          .filter(({ method, status, response }) => method === 'get' && status === 200 && typeof response === 'object')
          .filter(({ path }) => !path.includes('/issues?per_page') && !path.startsWith('/repositories/'))
          .map((one) => [`${scenario} ${one.path}`, one] as const)
      : [],
  )

  it('there are that many', () => expect(reads.length).toBeGreaterThan(10))

  for (const [[title, answer], options] of tiered(reads, 7))
    it(title, options, async () => {
      const target = await replay([answer])
      const { response } = answer
      const isSearch = typeof response === 'object' && response !== null && 'items' in response
      const wanted = (isSearch ? (response as { items: object[] }).items : [response].flat()) as object[]
      const selector = isSearch ? 'items' : '$'
      const { rows, info } = await load(target, [
        { name: 'rows', endpoint: { path: answer.path, dataSelector: selector, paginator: 'single_page' } },
      ])
      expect(info.rows.rows ?? 0).toBe(wanted.length)
      if (wanted.length === 0) return
      const loaded = await rows('rows')
      for (const row of parseJson(JSON.stringify(wanted)) as object[]) {
        const values = scalars(row)
        const same = loaded.some((one) =>
          Object.entries(values).every(([name, value]) => {
            const column = one[name] ?? one[name.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase()]
            // Times come back as times.
            return String(column) === value || (column !== null && Date.parse(String(column)) === Date.parse(value))
          }),
        )
        expect(same, `no loaded row has ${JSON.stringify(values)}`).toBe(true)
      }
    })
})
