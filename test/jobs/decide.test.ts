import { describe, expect, it } from 'vitest'
import { afterRun, dueRun, newState, type Due, type JobState } from '../../src/jobs/decide.ts'
import { job, type Job, type JobOptions } from '../../src/jobs/job.ts'
import { after, at, cron, every, received, type TimeTrigger } from '../../src/jobs/trigger.ts'
import { effort } from '../support/effort.ts'
import { fc } from '../support/seed.ts'

const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Asia/Kolkata']
const expressions = [
  '0 * * * *',
  '*/15 * * * *',
  '30 2 * * *',
  '0 0 * * *',
  '15 10 * * 1',
  '59 23 1 * *',
  '30 1,2,3 * * *',
]
const hour = 3_600_000

const anyTrigger: fc.Arbitrary<TimeTrigger> = fc.oneof(
  fc
    .tuple(fc.constantFrom(...expressions), fc.constantFrom(...zones))
    .map(([text, timezone]) => cron(text, { timezone })),
  fc.constantFrom('7m', '1h', '1d', '90s').map((text) => every(text as '1h')),
)
/** Moments near changes of clocks, and any others. */
const anyMoment = fc.oneof(
  fc
    .constantFrom(
      '2025-03-30T00:00:00Z',
      '2025-10-26T00:00:00Z',
      '2025-03-09T06:00:00Z',
      '2025-11-02T05:00:00Z',
      '2018-11-04T02:00:00Z',
      '2025-04-05T14:00:00Z',
    )
    .map((text) => new Date(text)),
  fc.date({ min: new Date('2017-01-01'), max: new Date('2027-01-01'), noInvalidDate: true }),
)

describe('ticks', () => {
  it('follow one another, and the last one up to a moment is where the next ones begin', () => {
    fc.assert(
      fc.property(anyTrigger, anyMoment, fc.integer({ min: 0, max: 5000 }), (trigger, begin, minutes) => {
        const moment = new Date(begin.getTime() + minutes * 60_000)
        const next = trigger.next(moment)!
        expect(next > moment).toBe(true)
        const last = trigger.last(moment)!
        expect(last <= moment).toBe(true)
        // Nothing between the two.
        expect(trigger.next(last)).toEqual(next)
        expect(trigger.last(next)).toEqual(next)
        expect(trigger.last(new Date(next.getTime() - 1))).toEqual(last)
      }),
      { numRuns: effort(200, 5000) },
    )
  })

  it('come once a day where they are daily, on days that clocks are set, too', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 23 }),
        fc.integer({ min: 0, max: 59 }),
        anyMoment,
        (timezone, hours, minutes, begin) => {
          const trigger = cron(`${minutes} ${hours} * * *`, { timezone })
          const day = new Intl.DateTimeFormat('en-CA', { timeZone: timezone, dateStyle: 'short' })
          const days: string[] = []
          let moment = trigger.next(begin)!
          for (let count = 0; count < 40; count++, moment = trigger.next(moment)!) days.push(day.format(moment))
          const [first] = days
          const expected = Array.from({ length: 40 }, (_, at) =>
            new Date(Date.parse(`${first}T12:00:00Z`) + at * 24 * hour).toISOString().slice(0, 10),
          )
          expect(days).toEqual(expected)
        },
      ),
      { numRuns: 500 },
    )
  })
})

/** Runs a scheduler by hand: it looks at given moments, and every run ends as told. */
function simulate(
  options: Omit<JobOptions, 'run'>,
  moments: readonly Date[],
  fails: (run: number) => boolean = () => false,
) {
  const one: Job = job({ run: 'x', ...options })
  one.name = 'one'
  const states = new Map<string, JobState>([['one', newState(moments[0]!)]])
  const runs: (Due & { at: Date; failed: boolean })[] = []
  for (const now of moments) {
    // As many as are due at this moment.
    for (let due = dueRun(one, states, now); due !== undefined; due = dueRun(one, states, now)) {
      const state = states.get('one')!
      const failed = fails(runs.length)
      runs.push({ ...due, at: now, failed })
      const running = { run: String(runs.length), startedAt: now.toISOString(), pid: 1, started: '', due }
      states.set(
        'one',
        afterRun(one, { ...state, running }, { outcome: failed ? 'failure' : 'success', endedAt: now, ms: 1 }),
      )
      if (runs.length > 20_000) throw new Error('it does not end')
    }
  }
  return { runs, state: states.get('one')!, one }
}

/** Moments at which a scheduler looks: on and on, with pauses of up to two days, and a clock that sometimes jumps back. */
const anyMoments = fc
  .tuple(
    anyMoment,
    fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 1, max: 90 }) },
        { weight: 1, arbitrary: fc.integer({ min: 90, max: 2880 }) },
        { weight: 1, arbitrary: fc.integer({ min: -180, max: -1 }) },
      ),
      { minLength: 5, maxLength: 60 },
    ),
  )
  .map(([begin, steps]) => {
    let time = begin.getTime()
    return [begin, ...steps.map((minutes) => new Date((time += minutes * 60_000)))]
  })

describe('a job with intervals', () => {
  const slow = anyTrigger.filter(({ text }) => text !== 'every 90s' && text !== 'every 7m')

  it('gets each of them once, in order, without a gap: whenever the scheduler looks, however long it was down', () => {
    fc.assert(
      fc.property(slow, anyMoments, fc.integer({ min: 0, max: 5 * 24 }), (trigger, moments, hours) => {
        const start = new Date(moments[0]!.getTime() - hours * hour)
        const { runs, state } = simulate({ trigger, interval: { start: start.toISOString() } }, moments)
        const newest = Math.max(...moments.map((one) => one.getTime()))
        let reached = start.toISOString()
        for (const { interval, at: now } of runs) {
          expect(interval!.start).toBe(reached)
          expect(interval!.end > interval!.start).toBe(true)
          // Not before it is over.
          expect(Date.parse(interval!.end)).toBeLessThanOrEqual(now.getTime())
          expect(trigger.next(new Date(interval!.start))!.toISOString()).toBe(interval!.end)
          reached = interval!.end
        }
        // All that had ended by the newest moment.
        expect(trigger.next(new Date(state.doneUntil ?? start))!.getTime()).toBeGreaterThan(newest)
      }),
      { numRuns: effort(40, 1000) },
    )
  })

  it('keeps to an interval until it is done, however often it fails', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }), (failures) => {
        const begin = Date.parse('2025-01-01T00:00:00Z')
        const moments = Array.from({ length: 200 }, (_, step) => new Date(begin + step * hour))
        const { runs } = simulate(
          { trigger: every('1h'), interval: { start: '2025-01-01T00:00:00Z' }, retries: 2 },
          moments,
          (run) => failures[run] ?? false,
        )
        let reached = '2025-01-01T00:00:00.000Z'
        for (const { interval, failed } of runs) {
          expect(interval!.start).toBe(reached)
          if (!failed) reached = interval!.end
        }
        expect(reached).toBe(moments.at(-1)!.toISOString())
      }),
    )
  })
})

describe('a job without intervals', () => {
  it('runs once for all that it missed, and never twice for a tick, whatever the clock does', () => {
    fc.assert(
      fc.property(anyTrigger, anyMoments, (trigger, moments) => {
        const { runs } = simulate({ trigger }, moments)
        const ticks = runs.map(({ tick }) => tick!)
        expect([...ticks].sort()).toEqual(ticks)
        expect(new Set(ticks).size).toBe(ticks.length)
        for (const { tick, at: now } of runs) expect(Date.parse(tick!)).toBeLessThanOrEqual(now.getTime())
        // A tick up to any moment is answered by then.
        const newest = new Date(Math.max(...moments.map((one) => one.getTime())))
        const last = trigger.last(newest)!
        if (last > moments[0]!) expect(ticks.at(-1)).toBe(last.toISOString())
      }),
      { numRuns: effort(40, 1000) },
    )
  })

  it('tells how many ticks it makes up for; leaves them out where that is wished', () => {
    const moments = ['2025-01-01T00:00:30Z', '2025-01-02T00:30:00Z', '2025-01-02T01:00:10Z'].map(
      (text) => new Date(text),
    )
    expect(simulate({ trigger: every('1h') }, moments).runs).toMatchObject([
      { tick: '2025-01-02T00:00:00.000Z', missed: 23 },
      { tick: '2025-01-02T01:00:00.000Z' },
    ])
    expect(simulate({ trigger: every('1h'), catchUp: false }, moments).runs).toMatchObject([
      { tick: '2025-01-02T01:00:00.000Z' },
    ])
  })

  it('is tried again with growing waits, then waits for its next tick', () => {
    const begin = Date.parse('2025-01-01T00:00:00Z')
    const moments = Array.from({ length: 26 * 60 }, (_, minute) => new Date(begin + minute * 60_000))
    const { runs, state } = simulate({ trigger: at('2025-01-01T01:00:00Z'), retries: 3 }, moments, () => true)
    expect(runs.map(({ attempt, at: now }) => `${attempt} ${now.toISOString().slice(11, 16)}`)).toEqual([
      '1 01:00',
      '2 01:01',
      '3 01:03',
      '4 01:07',
    ])
    expect(state).toMatchObject({ failures: 0, failed: 1, last: { outcome: 'failure' } })
  })
})

it('a job after another runs once for what has ended since, by its outcome', () => {
  const first = job({ run: 'a' })
  first.name = 'first'
  const second = job({ run: 'b', trigger: after(first) })
  second.name = 'second'
  const third = job({ run: 'c', trigger: after(first, 'failure') })
  third.name = 'third'
  const now = new Date('2025-01-01T00:00:00Z')
  const states = new Map(['first', 'second', 'third'].map((name) => [name, newState(now)]))
  expect(dueRun(second, states, now)).toBeUndefined()
  states.set('first', { ...states.get('first')!, successes: 3 })
  const due = dueRun(second, states, now)!
  expect(due).toEqual({ seen: { 'first success': 3 }, attempt: 1 })
  expect(dueRun(third, states, now)).toBeUndefined()
  const running = { run: '1', startedAt: '', pid: 1, started: '', due }
  states.set(
    'second',
    afterRun(second, { ...states.get('second')!, running }, { outcome: 'success', endedAt: now, ms: 1 }),
  )
  expect(dueRun(second, states, now)).toBeUndefined()
  states.set('first', { ...states.get('first')!, failed: 1 })
  expect(dueRun(third, states, now)).toMatchObject({ seen: { 'first failure': 1 } })
})

it('what cannot be is refused with a fix', () => {
  expect(() => cron('every day')).toThrow(/cannot be read[^]*fix: write five fields/)
  expect(() => cron('0 0 * * *', { timezone: 'Mars/Base' })).toThrow('cannot be read')
  expect(() => every('1y' as never)).toThrow('is no duration')
  expect(() => job({ run: 'x', interval: { start: '2025-01-01' } })).toThrow('intervals need one trigger of time')
  expect(() => job({ run: 'x', trigger: every('1h'), interval: { start: 'soon' } })).toThrow('is no moment')
  expect(() => job({ run: 'x', trigger: [every('1h'), every('2h')] })).toThrow('several triggers of time')
})

it('webhooks start a job whenever the mark of their inbox differs from the one it has seen, also after a restart of the inbox', () => {
  const one = job({ run: 'a', trigger: received('shop') })
  one.name = 'one'
  const now = new Date('2025-01-01T00:00:00Z')
  const states = new Map([['one', newState(now)]])
  const starts = (mark: number): boolean => {
    const due = dueRun(one, states, now, new Map([['shop', mark]]))
    if (due === undefined) return false
    const running = { run: '1', startedAt: '', pid: 1, started: '', due }
    states.set('one', afterRun(one, { ...states.get('one')!, running }, { outcome: 'success', endedAt: now, ms: 1 }))
    return true
  }
  expect([0, 50, 50, 70, 20, 20, 30].map(starts)).toEqual([false, true, false, true, true, false, true])
})
