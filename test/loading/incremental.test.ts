import { afterEach, describe, expect, it } from 'vitest'
import { incremental, resource, source, type Pipeline, type ResourceContext } from '../../src/index.ts'
import { restSource } from '../../src/sources/rest/index.ts'
import { api, freshPipeline, json, tableNames } from '../support/api.ts'
import { tiered } from '../support/effort.ts'

const hour = 3600
const at = (hours: number): string => new Date(Date.UTC(2025, 0, 1, hours)).toISOString()

async function ids(target: Pipeline, table = 't'): Promise<number[]> {
  const rows = await target.dataset().table<{ id: number }>(table).toArray()
  return rows.map((row) => row.id).sort((a, b) => a - b)
}

afterEach(() => {
  delete process.env.DLT_INTERVAL_START
  delete process.env.DLT_INTERVAL_END
})

describe('windows', () => {
  /** One row an hour for two days; fails at a given hour. */
  function hourly(target: Pipeline, options: { failAt?: number; until: number; asked: string[] }) {
    const rows = resource(
      't',
      function* ({ cursor }: ResourceContext) {
        for (const window of cursor!.windows(at(options.until))) {
          options.asked.push(`${String(window.start).slice(8, 13)}-${String(window.end).slice(8, 13)}`)
          const from = Date.parse(String(window.start)) / 3_600_000
          for (let id = from; id < Date.parse(String(window.end)) / 3_600_000; id++) {
            const hours = id - Date.UTC(2025, 0, 1) / 3_600_000
            if (hours === options.failAt) throw new Error('the API broke')
            yield [{ id: hours, at: at(hours) }]
          }
        }
      },
      {
        incremental: incremental('at', { initialValue: at(0), window: { size: 12 * hour } }),
        writeDisposition: 'append',
      },
    )
    return target.run(rows)
  }

  it('are checkpoints: a run that fails goes on after the last finished window', async () => {
    const target = freshPipeline('windows')
    // Every finished window may become a package at once.
    Object.assign((target as unknown as { options: object }).options, { package: { maxBytes: 1 } })
    const asked: string[] = []
    await expect(hourly(target, { until: 48, failAt: 30, asked })).rejects.toThrow('the API broke')
    expect(asked).toEqual(['01T00-01T12', '01T12-02T00', '02T00-02T12'])
    expect(await ids(target)).toEqual(Array.from({ length: 24 }, (_, id) => id))

    asked.length = 0
    await hourly(target, { until: 48, asked })
    expect(asked).toEqual(['02T00-02T12', '02T12-03T00'])
    expect(await ids(target)).toEqual(Array.from({ length: 48 }, (_, id) => id))

    asked.length = 0
    await hourly(target, { until: 50, asked })
    expect(asked).toEqual(['03T00-03T02'])
    expect(await ids(target)).toEqual(Array.from({ length: 50 }, (_, id) => id))
  })

  it('look back when asked to', async () => {
    const starts: unknown[] = []
    const target = freshPipeline()
    const rows = resource(
      't',
      function* ({ cursor }: ResourceContext) {
        for (const window of cursor!.windows(20)) {
          starts.push(window.start)
          yield [{ id: Number(window.start), n: Number(window.start) }]
        }
      },
      {
        incremental: incremental('n', { initialValue: 0, window: { size: 10, lookback: 5 } }),
        writeDisposition: 'merge',
        primaryKey: 'id',
      },
    )
    await target.run(rows)
    await target.run(rows)
    expect(starts).toEqual([0, 10, 15])
  })
})

it('rows that leave their declared order are kept only with the position that covers them', async () => {
  const target = freshPipeline()
  // A package may end after each page.
  Object.assign((target as unknown as { options: object }).options, { package: { maxBytes: 1 } })
  const load = (ends: number[], breaks: boolean) =>
    target.run(
      resource(
        't',
        async function* () {
          for (const id of ends) yield [{ id }]
          if (breaks) throw new Error('the API broke')
        },
        { incremental: incremental('id', { rowOrder: 'asc' }) },
      ),
    )
  await expect(load([1, 5, 3, 9], true)).rejects.toThrow('the API broke')
  await load([1, 5, 3, 9, 7], false)
  expect(await ids(target)).toEqual([1, 5, 7, 9])
})

describe('ranges', () => {
  const rows = (cursor: ReturnType<typeof incremental>) =>
    resource(
      't',
      [1, 5, 9].map((hours) => ({ id: hours, at: at(hours) })),
      { incremental: cursor },
    )

  it('come from the scheduler when both ends are set', async () => {
    const cursor = incremental('at', { allowExternalSchedulers: true })
    process.env.DLT_INTERVAL_START = at(4)
    process.env.DLT_INTERVAL_END = at(9)
    const target = freshPipeline()
    await target.run(rows(cursor))
    expect(await ids(target)).toEqual([5])
    expect((await target.state())?.sources.test?.resources?.t?.incremental).toBeUndefined()
    process.env.DLT_INTERVAL_END = 'tomorrow'
    await expect(freshPipeline().run(rows(cursor))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    delete process.env.DLT_INTERVAL_END
    const whole = freshPipeline()
    await whole.run(rows(cursor))
    expect(await ids(whole)).toEqual([1, 5, 9])
  })

  it.each([
    ['closed', 'open', [1, 5]],
    ['open', 'open', [5]],
    ['closed', 'closed', [1, 5, 9]],
  ] as const)('start %s, end %s', async (rangeStart, rangeEnd, expected) => {
    const target = freshPipeline()
    await target.run(rows(incremental('at', { initialValue: at(1), endValue: at(9), rangeStart, rangeEnd })))
    expect(await ids(target)).toEqual(expected)
  })

  it('a function chooses the last value', async () => {
    const target = freshPipeline()
    const longest = (values: unknown[]) => values.map(String).sort((a, b) => b.length - a.length)[0]!
    const load = (words: string[]) =>
      target.run(
        resource(
          't',
          words.map((word, id) => ({ id, word })),
          { incremental: incremental('word', { lastValueFunc: longest }) },
        ),
      )
    await load(['a', 'ccc', 'bb'])
    expect((await target.state())?.sources.test?.resources?.t?.incremental?.word?.last_value).toBe('ccc')
  })
})

describe('cursors per parent', () => {
  it('each parent goes on where it was, from a start that does not move during the run', async () => {
    const posts: Record<string, { id: number; n: number }[]> = {
      a: [
        { id: 1, n: 90 },
        { id: 2, n: 80 },
      ],
      b: [{ id: 3, n: 10 }],
    }
    const target = await api((_request, response, url) => {
      if (url.pathname === '/users')
        return json(
          response,
          Object.keys(posts).map((id) => ({ id })),
        )
      const since = Number(url.searchParams.get('since') ?? 0)
      json(
        response,
        posts[url.pathname.split('/')[2]!]!.filter((post) => post.n >= since),
      )
    })
    const loading = freshPipeline()
    const run = () =>
      loading.run(
        restSource({
          name: 's',
          client: { baseUrl: target.baseUrl, paginator: 'single_page' },
          resources: [
            'users',
            {
              name: 'posts',
              endpoint: {
                path: 'users/{resources.users.id}/posts',
                incremental: { cursorPath: 'n', initialValue: 0, startParam: 'since' },
              },
            },
          ],
        }).withResources('posts'),
      )
    await run()
    expect(target.requests.filter((one) => one.includes('posts'))).toEqual([
      'GET /users/a/posts?since=0',
      'GET /users/b/posts?since=0',
    ])
    posts.a!.push({ id: 4, n: 95 })
    posts.b!.push({ id: 5, n: 20 })
    target.requests.length = 0
    await run()
    expect(target.requests.filter((one) => one.includes('posts'))).toEqual([
      'GET /users/a/posts?since=90',
      'GET /users/b/posts?since=10',
    ])
    expect(await ids(loading, 'posts')).toEqual([1, 2, 3, 4, 5])
  })
})

describe('state', () => {
  const counting = resource('t', function* ({ state, sourceState }: ResourceContext) {
    state.runs = Number(state.runs ?? 0) + 1
    sourceState.seen = Number(sourceState.seen ?? 0) + 1
    yield [{ id: state.runs }]
  })
  const counter = source('counter', [counting])

  it('of resources and sources is kept, and comes back on a fresh machine from the destination alone', async () => {
    const target = freshPipeline()
    await target.run(counter)
    target.drop()
    await target.run(counter)
    expect(await ids(target)).toEqual([1, 2])
    expect((await target.state())?.sources.counter).toMatchObject({ seen: 2, resources: { t: { runs: 2 } } })
  })

  it('is not kept when the resource fails', async () => {
    const target = freshPipeline()
    await target.run(counter)
    const failing = resource('t', function* ({ state }: ResourceContext) {
      state.runs = 100
      yield [{ id: 100 }]
      throw new Error('no')
    })
    await expect(target.run(source('counter', [failing]))).rejects.toThrow('no')
    await target.run(counter)
    expect(await ids(target)).toEqual([1, 2])
  })

  it('a run that finds nothing new leaves no load behind', async () => {
    const target = freshPipeline()
    const rows = source('s', [resource('t', [{ id: 1 }], { incremental: incremental('id') })])
    await target.run(rows)
    expect((await target.run(rows)).packages).toEqual([])
  })

  const refreshes = [
    ['drop_sources', ['t']],
    ['drop_resources', ['other', 't']],
    ['drop_data', ['other', 't']],
  ] as const
  for (const [[refresh, tables], options] of tiered(refreshes, 1)) {
    it(`refresh: ${refresh}`, options, async () => {
      const target = freshPipeline()
      const other = resource('other', [{ id: 7 }])
      await target.run(source('counter', [counting, other]))
      await target.run(counter, { refresh })
      expect(await ids(target)).toEqual([1])
      expect(await tableNames(target)).toEqual(tables)
    })
  }

  it('resources can be dropped, with their tables or without', async () => {
    const target = freshPipeline()
    await target.run(counter)
    expect(await target.dropResources('counter', ['t'], { stateOnly: true })).toEqual([])
    await target.run(counter)
    expect(await ids(target)).toEqual([1, 1])
    expect(await target.dropResources('counter')).toEqual(['t'])
    await target.run(counter)
    expect(await ids(target)).toEqual([1])
    await expect(target.dropResources('counter', ['nope'])).rejects.toMatchObject({ code: 'WRONG_USE' })
  })
})
