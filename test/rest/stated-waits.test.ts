import { describe, expect, it } from 'vitest'
import { PipelineError } from '../../src/index.ts'
import { serverLimit, statedWaitMs } from '../../src/sources/rest/http/rate-headers.ts'
import { sleepFor, timerMs } from '../../src/timers/index.ts'
import { api, freshPipeline, json, tableNames } from '../support/api.ts'
import { load } from '../support/rest.ts'
import { fc } from '../support/seed.ts'

const hour = 3_600_000

/** Every way in which a server writes an instant that is `ms` after `now`. */
const spellings: Record<string, (ms: number, now: number) => string> = {
  'seconds from now': (ms) => String(ms / 1000),
  'seconds since 1970': (ms, now) => String((now + ms) / 1000),
  'milliseconds since 1970': (ms, now) => String(now + ms),
  'microseconds since 1970': (ms, now) => String((now + ms) * 1000),
  'an HTTP date': (ms, now) => new Date(now + ms).toUTCString(),
  'an ISO date': (ms, now) => new Date(now + ms).toISOString(),
  'an ISO date with an offset': (ms, now) => `${new Date(now + ms + 2 * hour).toISOString().slice(0, -1)}+02:00`,
  'a duration': (ms) => `${Math.floor(ms / 60_000)}m${(ms % 60_000) / 1000}s`,
}
const resetNames = ['x-ratelimit-reset', 'x-rate-limit-reset', 'ratelimit-reset', 'x-ratelimit-reset-after']
const spelling = fc.constantFrom(...Object.keys(spellings))
/** From nothing to two years, in whole seconds. */
const wait = fc
  .oneof(fc.integer({ min: 0, max: 7200 }), fc.integer({ min: 0, max: 63_072_000 }))
  .map((seconds) => seconds * 1000)

describe('what a server says about waiting', () => {
  const now = Date.parse('2026-03-01T12:00:00Z')

  it('is read whatever the header and its spelling', () => {
    fc.assert(
      fc.property(wait, spelling, fc.constantFrom('retry-after', ...resetNames), (ms, how, name) => {
        const headers = new Headers({ [name]: spellings[how]!(ms, now) })
        expect(statedWaitMs(headers, 429, now)).toBeCloseTo(ms, 0)
        if (name === 'retry-after') return
        headers.set('x-ratelimit-remaining', '0')
        expect(serverLimit(headers, now)?.resetMs).toBeCloseTo(ms, 0)
        expect(statedWaitMs(headers, 403, now)).toBeCloseTo(ms, 0)
        headers.set('x-ratelimit-remaining', '1')
        expect(statedWaitMs(headers, 403, now)).toBeUndefined()
      }),
    )
  })

  it('is nothing where a header says nothing that can be read', () => {
    const nonsense = fc.constantFrom(
      '',
      'soon',
      '-',
      '1e400',
      'NaN',
      'Infinity',
      '0x10',
      '1 s later',
      '12 potatoes',
      '-5',
    )
    fc.assert(
      fc.property(nonsense, fc.constantFrom('retry-after', ...resetNames), (text, name) => {
        expect(statedWaitMs(new Headers({ [name]: text }), 429, now)).toBeUndefined()
      }),
    )
  })

  it('is the reset of the policy that is used up', () => {
    const headers = new Headers({ ratelimit: '"burst";r=9;t=1, "month";r=0;t=864000' })
    expect(serverLimit(headers, now)).toEqual({ remaining: 0, resetMs: 864_000_000 })
  })

  it('ends the run at once when it is longer than two hours, and at no place makes it spin', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 3, max: 20_000 }),
        spelling,
        fc.constantFrom(...resetNames),
        fc.constantFrom(200, 403, 429),
        fc.integer({ min: 1, max: 4 }),
        async (hours, how, name, status, page) => {
          const target = await api((_request, response, url) => {
            const at = Number(url.searchParams.get('page') ?? 1)
            const isUsedUp = at === page
            const headers = isUsedUp
              ? { 'x-ratelimit-remaining': '0', [name]: spellings[how]!(hours * hour + 30_000, Date.now()) }
              : undefined
            json(response, { items: [{ id: at }], pages: 6 }, isUsedUp ? status : 200, headers)
          })
          const into = freshPipeline()
          const paginator = { type: 'page_number', basePage: 1, totalPath: 'pages' } as const
          const error = await load(
            target,
            [{ name: 'items', endpoint: { dataSelector: 'items', paginator } }],
            { concurrency: 1 },
            into,
          ).catch((reason: unknown) => reason)
          expect(error).toBeInstanceOf(PipelineError)
          expect((error as PipelineError).recovery).toBe('retry')
          expect((error as PipelineError).summary).toMatch(/asks to wait [\d,]+ (hours|days)/)
          expect(target.requests).toHaveLength(page)
          expect(await tableNames(into)).toEqual([])
        },
      ),
      { numRuns: 12 },
    )
  })

  it('does not matter after the last page', async () => {
    const target = await api((_request, response) =>
      json(response, [{ id: 1 }], 200, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '999999' }),
    )
    const { info } = await load(target, [{ name: 'items', endpoint: { paginator: 'single_page' } }])
    expect(info.rows).toEqual({ items: 1 })
  })
})

describe('timers', () => {
  it('never fire early, however long their delay', async () => {
    fc.assert(
      fc.property(fc.double({ min: 0, noNaN: true }), (ms) => {
        expect(timerMs(ms)).toBeLessThanOrEqual(2_147_483_647)
        expect(timerMs(ms)).toBeLessThanOrEqual(Math.max(0, ms))
      }),
    )
    const abort = new AbortController()
    const waiting = sleepFor(2 ** 40, abort.signal).then(
      () => 'fired',
      () => 'aborted',
    )
    await sleepFor(30)
    abort.abort()
    expect(await waiting).toBe('aborted')
  })

  it('of requests take any setting', async () => {
    const target = await api((_request, response) => void setTimeout(() => json(response, [{ id: 1 }]), 20))
    const [timeoutMs, resource] = [2 ** 40, { name: 'items', endpoint: { paginator: 'single_page' } as const }]
    const long = { timeoutMs, headersTimeoutMs: timeoutMs, bodyTimeoutMs: timeoutMs, connectTimeoutMs: timeoutMs }
    expect((await load(target, [resource], { ...long, maxAttempts: 1 })).info.rows).toEqual({ items: 1 })
  })
})
