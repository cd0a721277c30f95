import { describe, expect, it } from 'vitest'
import { api, freshPipeline, json } from '../support/api.ts'
import { load } from '../support/rest.ts'

const orgs = [
  { id: 1, slug: 'a b' },
  { id: 2, slug: 'c' },
]
const projects = (org: string) => [
  { id: `${org}-p1`, kind: 'k' },
  { id: `${org}-p2`, kind: 'k' },
]

/** Organisations with projects with tasks, regions, and users with odd keys. */
const company = () =>
  api((_request, response, url) => {
    const parts = url.pathname.split('/').slice(1).map(decodeURIComponent)
    if (url.pathname === '/orgs') return json(response, orgs)
    if (url.pathname === '/regions')
      return json(response, [
        { code: 'eu', extra: 'x' },
        { code: 'us', extra: 'y' },
      ])
    if (url.pathname === '/users') return json(response, [{ id: 1 }, { id: null }, { id: 1 }, {}, { id: 2 }])
    if (parts.length === 3 && parts[2] === 'projects') return json(response, projects(parts[1]!))
    const query = Object.fromEntries([...url.searchParams.keys()].map((key) => [key, url.searchParams.getAll(key)]))
    json(response, [{ path: parts.join('/'), query: JSON.stringify(query) }])
  })

describe('parents', () => {
  it('a grandparent: the row above the parent’s row', async () => {
    const target = await company()
    const { rows } = await load(target, [
      'orgs',
      { name: 'projects', endpoint: 'orgs/{resources.orgs.slug}/projects', selected: false },
      {
        name: 'tasks',
        endpoint: 'tasks/{resources.orgs.id}/{resources.projects.id}/x',
        includeFromParent: { id: 'project', 'orgs.slug': 'org' },
      },
    ])
    const query = '{}'
    expect(await rows('tasks')).toEqual([
      { org: 'a b', path: 'tasks/1/a b-p1/x', project: 'a b-p1', query },
      { org: 'a b', path: 'tasks/1/a b-p2/x', project: 'a b-p2', query },
      { org: 'c', path: 'tasks/2/c-p1/x', project: 'c-p1', query },
      { org: 'c', path: 'tasks/2/c-p2/x', project: 'c-p2', query },
    ])
  })

  it('several parents: every combination', async () => {
    const target = await company()
    const { rows } = await load(target, [
      { name: 'stats', endpoint: 'stats/{resources.orgs.id}/{resources.regions.code}/x' },
      'orgs',
      'regions',
    ])
    expect((await rows('stats')).map(({ path }) => path)).toEqual([
      'stats/1/eu/x',
      'stats/1/us/x',
      'stats/2/eu/x',
      'stats/2/us/x',
    ])
    // Both are read once, and loaded.
    expect(target.requests.filter((one) => /orgs$|regions$/.test(one))).toHaveLength(2)
    expect(await rows('regions')).toHaveLength(2)
  })

  it('a list in the source', async () => {
    const target = await company()
    const { rows, info } = await load(target, [
      { name: 'years', rows: [2024, 2025] },
      { name: 'months', rows: [{ month: 1 }, { month: 2 }] },
      { name: 'bills', endpoint: 'bills/{resources.years.value}/{resources.months.month}/x' },
    ])
    expect((await rows('bills')).map(({ path }) => path)).toEqual([
      'bills/2024/1/x',
      'bills/2024/2/x',
      'bills/2025/1/x',
      'bills/2025/2/x',
    ])
    expect(Object.keys(info.rows)).not.toContain('years')
  })

  it('a list in the configuration', async () => {
    const target = await company()
    process.env.SOURCES__S__TEAM_IDS = 'x, y'
    const { config } = await import('../../src/sources/rest/index.ts')
    const resources = [
      { name: 'teams', rows: config('team_ids') },
      { name: 'who', endpoint: 'who/{resources.teams.value}/x' },
    ]
    const { rows } = await load(target, resources as never).finally(() => delete process.env.SOURCES__S__TEAM_IDS)
    expect((await rows('who')).map(({ path }) => path)).toEqual(['who/x/x', 'who/y/x'])
  })

  it('rows without a value are left out when told so, equal ones asked for once', async () => {
    const target = await company()
    const { rows, events } = await load(target, [
      'users',
      { name: 'd', endpoint: { path: 'd/{resources.users.id}/x', parentRows: { onNull: 'skip', distinct: true } } },
    ])
    expect((await rows('d')).map(({ path }) => path)).toEqual(['d/1/x', 'd/2/x'])
    expect(events.filter((event) => event.type === 'skipped')).toHaveLength(2)
  })

  it('values are equal when those of the rows above are equal too', async () => {
    const target = await company()
    const { rows } = await load(target, [
      'orgs',
      { name: 'projects', endpoint: 'orgs/{resources.orgs.slug}/projects', selected: false },
      {
        name: 'kinds',
        endpoint: {
          path: 'kinds/{resources.orgs.id}/{resources.projects.kind}/x',
          parentRows: { distinct: true },
        },
      },
    ])
    expect((await rows('kinds')).map(({ path }) => path)).toEqual(['kinds/1/k/x', 'kinds/2/k/x'])
  })

  it('rows without a value end the run otherwise', async () => {
    const target = await company()
    const run = load(target, ['users', { name: 'd', endpoint: 'd/{resources.users.id}/x' }])
    await expect(run).rejects.toThrow(/\{resources\.users\.id\} has no value .*\n.*onNull: 'skip'/)
  })

  it('ids in batches: repeated, joined, and as a list in a body', async () => {
    const target = await api((_request, response, url, body) => {
      if (url.pathname === '/ids')
        return json(
          response,
          [1, 2, 3, 4, 5].map((id) => ({ id })),
        )
      json(response, [{ asked: `${decodeURIComponent(url.search)}${body}` }])
    })
    const batch = { batch: 2 }
    const { rows } = await load(target, [
      'ids',
      { name: 'repeated', endpoint: { path: 'r', params: { id: '{resources.ids.id}' }, parentRows: batch } },
      {
        name: 'joined',
        endpoint: { path: 'j', params: { ids: '{resources.ids.id}' }, parentRows: { ...batch, separator: '|' } },
      },
      {
        name: 'posted',
        endpoint: { path: 'p', method: 'POST', json: { ids: '{resources.ids.id}' }, parentRows: batch },
      },
    ])
    const asked = async (table: string) => (await rows(table)).map((row) => row.asked)
    expect(await asked('repeated')).toEqual(['?id=1&id=2', '?id=3&id=4', '?id=5'])
    expect(await asked('joined')).toEqual(['?ids=1|2', '?ids=3|4', '?ids=5'])
    expect(await asked('posted')).toEqual(['{"ids":[1,2]}', '{"ids":[3,4]}', '{"ids":[5]}'])
  })

  it('two parents out of one tree are refused: their rows are not all there yet', () => {
    const resources = [
      'orgs',
      { name: 'a', endpoint: 'a/{resources.orgs.id}' },
      { name: 'b', endpoint: 'b/{resources.orgs.id}' },
      { name: 'c', endpoint: 'c/{resources.a.id}/{resources.b.id}' },
    ]
    return expect(load({ baseUrl: 'http://127.0.0.1:1' }, resources)).rejects.toThrow(/both come from "orgs"/)
  })

  it('trees that wait for each other are refused', () => {
    const resources = [
      'x',
      'y',
      { name: 'a', endpoint: 'a/{resources.x.id}/{resources.y.id}/q' },
      { name: 'b', endpoint: 'b/{resources.y.id}/{resources.x.id}/q' },
    ]
    return expect(load({ baseUrl: 'http://127.0.0.1:1' }, resources)).rejects.toThrow(/in a circle: x → y → x/)
  })

  it('a parent that fails ends the run, also for those who wait for its rows', async () => {
    const target = await api((_request, response, url) => {
      if (url.pathname === '/regions') return void setTimeout(() => json(response, { message: 'no' }, 400), 50)
      json(response, orgs)
    })
    const resources = ['orgs', 'regions', { name: 's', endpoint: 's/{resources.orgs.id}/{resources.regions.code}/x' }]
    await expect(load(target, resources)).rejects.toThrow(/regions answered 400/)
  })

  it('a parent that may fail takes those with it who wait for its rows, when they may fail too', async () => {
    const target = await api((_request, response, url) =>
      url.pathname === '/regions' ? json(response, {}, 400) : json(response, orgs),
    )
    const { info } = await load(target, [
      { name: 'orgs', onError: 'continue' },
      { name: 'regions', onError: 'continue' },
      { name: 's', endpoint: 's/{resources.orgs.id}/{resources.regions.code}/x' },
      { name: 'others', endpoint: 'others' },
    ])
    expect(info.rows).toEqual({ others: 2 })
    expect(info.failedResources.map(({ resource }) => resource)).toEqual(['regions', 'orgs'])
  })

  it('each parent has its own cursor, and what it reached stays', async () => {
    const events: Record<string, { id: string; at: number }[]> = {
      a: [{ id: 'a1', at: 10 }],
      b: [{ id: 'b1', at: 90 }],
    }
    const target = await api((_request, response, url) => {
      if (url.pathname === '/people') return json(response, [{ id: 'a' }, { id: 'b' }])
      const since = Number(url.searchParams.get('since'))
      json(
        response,
        events[url.pathname.split('/')[2]!]!.filter(({ at }) => at >= since),
      )
    })
    const resources = [
      'people',
      {
        name: 'events',
        endpoint: {
          path: 'people/{resources.people.id}/events',
          incremental: { cursorPath: 'at', startParam: 'since', initialValue: 0 },
        },
      },
    ]
    const { pipeline: into } = await load(target, resources)
    // Older than what b has reached.
    events.a!.push({ id: 'a2', at: 20 })
    const { rows } = await load(target, resources, {}, into)
    expect((await rows('events')).map(({ id }) => id)).toEqual(['a1', 'a2', 'b1'])
    expect(target.requests.slice(-2).sort()).toEqual(['GET /people/a/events?since=10', 'GET /people/b/events?since=90'])
  })

  it('pages of many children wait in bounded numbers, and come in the order of their parents', async () => {
    let open = 0
    let most = 0
    const target = await api((_request, response, url) => {
      if (url.pathname === '/p')
        return json(
          response,
          Array.from({ length: 30 }, (_, id) => ({ id })),
        )
      open += 1
      most = Math.max(most, open)
      setTimeout(() => {
        open -= 1
        const page = Number(url.searchParams.get('page') ?? 1)
        json(response, { items: [{ of: url.pathname, page }], page, total_pages: 7 })
      }, 2)
    })
    const into = freshPipeline()
    const { rows } = await load(target, ['p', { name: 'c', endpoint: 'p/{resources.p.id}/c' }], {}, into)
    expect(await rows('c')).toHaveLength(210)
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(6)
  })
})
