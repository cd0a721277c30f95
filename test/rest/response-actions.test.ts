import { describe, expect, it } from 'vitest'
import type { RestResourceSpec } from '../../src/sources/rest/index.ts'
import { api, freshPipeline, json, type Answer } from '../support/api.ts'
import { load, rowsOf } from '../support/rest.ts'

const inTurn = (...answers: Answer[]): Answer => {
  let asked = 0
  return (...given) => answers[Math.min(asked++, answers.length - 1)]!(...given)
}
const says =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    json(response, body, status, headers)
const good = says([{ id: 1 }])

const users = (endpoint: RestResourceSpec['endpoint']): RestResourceSpec[] => [{ name: 'users', endpoint: endpoint! }]

describe('response actions', () => {
  it('retry: an answer with status 200 that is an error', async () => {
    const target = await api(inTurn(says({ error: 'busy' }), says({ error: 'busy' }), good))
    const { rows } = await load(
      target,
      users({ responseActions: [{ content: '"busy"', action: 'retry' }], paginator: 'single_page' }),
    )
    expect(await rows('users')).toEqual([{ id: 1 }])
    expect(target.requests).toHaveLength(3)
  })

  it('retry gives up in the end, and says what the source says', async () => {
    const target = await api(says({ error: 'busy' }))
    const rule = { when: "body.error == 'busy'", action: 'retry', message: 'the export is still running' } as const
    const run = load(target, users({ responseActions: [rule] }), { maxAttempts: 3 })
    await expect(run).rejects.toThrow(/users answered 200 after 3 attempts: the export is still running/)
    expect(target.requests).toHaveLength(3)
  })

  it('fail: at once, although the status would be tried again', async () => {
    const target = await api(says({}, 503))
    const rule = { statusCode: '5xx', action: 'fail', message: 'closed at night' } as const
    const run = load(target, users({ responseActions: [rule] }))
    await expect(run).rejects.toThrow(/answered 503: closed at night/)
    expect(target.requests).toHaveLength(1)
  })

  it('ignore: by a class of statuses', async () => {
    const target = await api(says({}, 410))
    const { info } = await load(target, users({ responseActions: [{ statusCode: '4xx', action: 'ignore' }] }))
    expect(info.rows).toEqual({})
  })

  it('refresh_auth: an API that says with 400 that a token has ended', async () => {
    let tokens = 0
    const target = await api((request, response, url) => {
      if (url.pathname === '/login') return json(response, { token: `token-number-${++tokens}` })
      if (request.headers.authorization === 'Bearer token-number-2') return json(response, [{ id: 1 }])
      json(response, { code: 'TOKEN_EXPIRED' }, 400)
    })
    const rule = { when: "body.code == 'TOKEN_EXPIRED'", action: 'refresh_auth' } as const
    const { rows } = await load(target, users({ responseActions: [rule] }), { auth: { type: 'session', url: 'login' } })
    expect(await rows('users')).toEqual([{ id: 1 }])
    expect(tokens).toBe(2)
  })

  it('skip_parent: none of the parent’s rows, not even those that came before', async () => {
    const target = await api((_request, response, url) => {
      if (url.pathname === '/teams') return json(response, [{ id: 1 }, { id: 2 }])
      if (url.pathname === '/teams/1/members' && url.searchParams.has('page')) return json(response, {}, 403)
      const next = url.pathname === '/teams/1/members' ? '/teams/1/members?page=2' : null
      json(response, { data: [{ member: url.pathname }], next })
    })
    const members: RestResourceSpec = {
      name: 'members',
      endpoint: {
        path: 'teams/{resources.teams.id}/members',
        paginator: { type: 'json_link' },
        responseActions: [{ statusCode: 403, action: 'skip_parent' }],
      },
    }
    const { rows, events } = await load(target, ['teams', members])
    expect(await rows('members')).toEqual([{ member: '/teams/2/members' }])
    expect(events.filter((event) => event.type === 'skipped')).toMatchObject([{ detail: 'all of teams 1' }])
  })

  it('a function: changes an answer, or says what to do', async () => {
    const target = await api(inTurn(says({ state: 'wait' }), says({ list: { 7: 'a', 8: 'b' } })))
    const { rows } = await load(
      target,
      users({
        responseActions: [
          (response) => {
            const { state, list } = response.body as { state?: string; list?: Record<string, string> }
            if (state === 'wait') return 'retry'
            return { ...response, body: Object.entries(list!).map(([id, name]) => ({ id: Number(id), name })) }
          },
        ],
      }),
    )
    expect(await rows('users')).toEqual([
      { id: 7, name: 'a' },
      { id: 8, name: 'b' },
    ])
  })

  it('of the client: for every endpoint, after its own', async () => {
    const target = await api((_request, response, url) => json(response, {}, url.pathname === '/a' ? 404 : 410))
    const own = { name: 'a', endpoint: { responseActions: [{ statusCode: 404, action: 'ignore' as const }] } }
    const { info } = await load(target, [own, 'b'], { responseActions: [{ statusCode: '4xx', action: 'ignore' }] })
    expect(info.rows).toEqual({})
  })

  it('a wrong condition is found before anything is sent', async () => {
    const target = await api(good)
    const run = load(target, users({ responseActions: [{ when: 'body.x = 1', action: 'retry' }] }))
    await expect(run).rejects.toThrow(/responseActions\[0\]\.when: "body\.x = 1" is not a condition/)
    expect(target.requests).toEqual([])
  })
})

describe('a resource that may fail', () => {
  const broken = () =>
    api((_request, response, url) => {
      const page = Number(url.searchParams.get('page') ?? 1)
      if (url.pathname === '/broken' && page === 2) return json(response, { message: 'no' }, 400)
      if (url.pathname === '/fixed') return json(response, [{ id: 3 }])
      json(response, { data: [{ id: page }], next: url.pathname === '/broken' ? '/broken?page=2' : null })
    })
  const link = { type: 'json_link' } as const

  it('is left out with its rows and its children; the others load', async () => {
    const target = await broken()
    const { rows, info, events, pipeline } = await load(target, [
      'good',
      { name: 'broken', onError: 'continue', endpoint: { paginator: link } },
      { name: 'below', endpoint: 'below/{resources.broken.id}' },
    ])
    expect(await rows('good')).toEqual([{ id: 1 }])
    expect(info.rows).toEqual({ good: 1 })
    expect(info.failedResources).toMatchObject([{ resource: 'broken', error: { code: 'HTTP_STATUS' } }])
    expect(info.toJSON()).toMatchObject({ failedResources: [{ resource: 'broken', code: 'HTTP_STATUS' }] })
    expect(String(info)).toContain('Resource broken FAILED and was left out')
    expect(events.filter((event) => event.type === 'resource-failed')).toHaveLength(1)
    await expect(rowsOf(pipeline, 'broken')).rejects.toThrow()
  })

  it('ends the run when it may not', async () => {
    const target = await broken()
    await expect(load(target, ['good', { name: 'broken', endpoint: { paginator: link } }])).rejects.toThrow(/400/)
  })

  it('keeps its cursor: what was missed comes with the next run', async () => {
    let fails = true
    const items = [{ id: 1, at: 10 }]
    const target = await api((_request, response, url) => {
      const since = Number(url.searchParams.get('since') ?? 0)
      if (url.searchParams.has('page')) return fails ? json(response, {}, 400) : json(response, { data: [] })
      const next = `/items?page=2&since=${since}`
      json(response, { data: items.filter(({ at }) => at >= since), next })
    })
    const resources: RestResourceSpec[] = [
      {
        name: 'items',
        onError: 'continue',
        endpoint: {
          path: 'items',
          paginator: link,
          incremental: { cursorPath: 'at', startParam: 'since', initialValue: 0 },
        },
      },
    ]
    const into = freshPipeline()
    const first = await load(target, resources, {}, into)
    expect(first.info.rows).toEqual({})
    fails = false
    items.push({ id: 2, at: 20 })
    const second = await load(target, resources, {}, into)
    expect(await second.rows('items')).toEqual([
      { id: 1, at: 10 },
      { id: 2, at: 20 },
    ])
  })

  it('rows that are merged by their key may stay: the next run writes them again', async () => {
    const target = await broken()
    const { info } = await load(target, [
      {
        name: 'broken',
        onError: 'continue',
        primaryKey: 'id',
        writeDisposition: 'merge',
        endpoint: { paginator: link },
      },
    ])
    expect(info.rows).toEqual({ broken: 1 })
    expect(info.failedResources).toHaveLength(1)
  })

  it('cannot be left out of a table that it shares', async () => {
    const target = await broken()
    const run = load(target, [
      { name: 'good', tableName: 'all' },
      { name: 'broken', tableName: 'all', onError: 'continue', endpoint: { paginator: link } },
    ])
    await expect(run).rejects.toThrow(/answered 400/)
  })
})
