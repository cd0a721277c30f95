import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { InboxWriter } from '../../src/inbox/inbox-store.ts'
import { attach } from '../../src/index.ts'
import { api, json } from '../support/api.ts'
import { tiered } from '../support/effort.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const library = fileURLToPath(new URL('../../src/jobs/index.ts', import.meta.url))
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-jobs-'))
})

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text)
const lines = (name: string): string[] =>
  existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8').trim().split('\n') : []

/** A file of jobs; `note` appends a line to a file of the test. */
function jobs(text: string): void {
  write(
    'sluice.jobs.ts',
    `import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, at, cron, every, job, received } from ${JSON.stringify(library)}
const note = (file: string, line: string) => appendFileSync(${JSON.stringify(`${folder}/`)} + file, line + '\\n')
void [after, at, cron, every, received, existsSync, sleep, note]
${text}`,
  )
}

/** A tick counts from when the scheduler saw the job first: by then it has surely begun. */
const whenItRuns = (): string => new Date(Date.now() + 8000).toISOString()

interface Event {
  type: string
  job: string
  outcome?: string
  error?: string
}

/** What is set for the schedulers that begin. */
let failing: Record<string, string> = {}

function start(...args: string[]): ChildProcess & { events: Event[]; ended: Promise<number | null>; said(): string } {
  const child = spawn(process.execPath, [main, 'schedule', ...args], {
    cwd: folder,
    env: { ...process.env, HOME: folder, SLUICE_DATA_DIR: join(folder, 'data'), ...failing },
  })
  const events: Event[] = []
  let [text, err] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    if (!args.includes('--json')) return
    const whole = text.split('\n')
    text = whole.pop()!
    events.push(...whole.map((line) => JSON.parse(line) as Event))
  })
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return Object.assign(child, { events, ended, said: () => text + err })
}

const ended = (events: readonly Event[], job: string): Event[] =>
  events.filter((one) => one.type === 'ended' && one.job === job)

describe('sluice schedule', () => {
  it(
    'gives every interval once, in order, while it is killed again and again',
    { tags: ['slow'], timeout: 300_000 },
    async () => {
      const begin = new Date(Math.floor(Date.now() / 1000) * 1000 - 20_000)
      jobs(`export const seconds = job({
      run: async ({ interval }) => { await sleep(30); note('seen', interval!.start.toISOString() + ' ' + interval!.end.toISOString()) },
      trigger: every('1s'),
      interval: { start: '${begin.toISOString()}' },
    })`)
      let kills = 0
      for (const wait of [600, 1500, 250, 2200, 900, 1300]) {
        const scheduler = start('--json')
        await new Promise((resolve) => setTimeout(resolve, wait + 700))
        scheduler.kill('SIGKILL')
        await scheduler.ended
        kills += 1
      }
      // And where it writes down what it has begun and what has ended.
      for (const step of ['schedule-drafted:1', 'schedule-drafted:4', 'schedule-written:1', 'schedule-written:4']) {
        failing = { SLUICE_FAILPOINT: step }
        const scheduler = start('--json')
        await scheduler.ended
        expect(scheduler.signalCode, step).toBe('SIGKILL')
        kills += 1
      }
      failing = {}
      const last = start('--json')
      // Each is a process of its own: seconds, where much else runs.
      await expect.poll(() => lines('seen').length, { timeout: 200_000 }).toBeGreaterThan(25)
      last.kill('SIGTERM')
      await last.ended
      let reached = begin.toISOString()
      for (const line of lines('seen')) {
        expect(line.split(' ')[0], `after ${kills} kills`).toBe(reached)
        reached = line.split(' ')[1]!
      }
    },
  )

  it(
    'tries again what failed, also where its process was killed; then what comes after it',
    { tags: ['slow'] },
    async () => {
      const soon = whenItRuns()
      jobs(`export const shaky = job({
      run: ({ attempt }) => {
        note('tries', String(attempt))
        if (attempt === 1) throw new Error('no luck with key hunter2')
        if (attempt === 2) process.kill(process.pid, 'SIGKILL')
      },
      trigger: at('${soon}'),
      retryWait: '1s',
    })
    export const next = job({ run: () => note('next', 'ran'), trigger: after(shaky) })`)
      const scheduler = start('--json')
      await expect.poll(() => lines('next')).toEqual(['ran'])
      expect(lines('tries')).toEqual(['1', '2', '3'])
      expect(ended(scheduler.events, 'shaky')).toMatchObject([
        { outcome: 'failure', error: 'no luck with key hunter2' },
        { outcome: 'failure', error: 'its process ended without a word' },
        { outcome: 'success' },
      ])
      scheduler.kill('SIGINT')
      expect(await scheduler.ended).toBe(0)
    },
  )

  it(
    'ends what takes too long; in the end asks what runs to end, and runs it again the next time',
    { tags: ['slow'] },
    async () => {
      const soon = whenItRuns()
      jobs(`export const slow = job({ run: ({ signal }) => sleep(60_000, undefined, { signal }), trigger: at('${soon}'), timeout: '1s', retries: 0 })
    export const long = job({ run: async ({ signal }) => { note('long', 'began'); await sleep(60_000, undefined, { signal }) }, trigger: at('${soon}') })`)
      const scheduler = start('--json')
      await expect
        .poll(() => ended(scheduler.events, 'slow'))
        .toMatchObject([{ outcome: 'failure', error: 'it was ended after 1s' }])
      await expect.poll(() => lines('long')).toEqual(['began'])
      scheduler.kill('SIGTERM')
      expect(await scheduler.ended).toBe(0)
      expect(ended(scheduler.events, 'long')).toMatchObject([{ outcome: 'interrupted' }])
      const again = start('--json')
      await expect.poll(() => lines('long')).toEqual(['began', 'began'])
      again.kill('SIGTERM')
      await again.ended
    },
  )

  it(
    'finds a run that outlived its scheduler, and does not begin it twice; a second scheduler is refused',
    { tags: ['slow'] },
    async () => {
      const soon = whenItRuns()
      jobs(
        `export const long = job({
        run: async () => {
          note('long', 'began')
          while (!existsSync(${JSON.stringify(join(folder, 'enough'))})) await sleep(50)
          note('long', 'ended')
        },
        trigger: at('${soon}'),
      })`,
      )
      const first = start('--json')
      await expect.poll(() => lines('long')).toEqual(['began'])
      const second = start('--json')
      expect(await second.ended).toBe(1)
      expect(JSON.stringify(second.events)).toContain('another scheduler runs these jobs already')
      first.kill('SIGKILL')
      await first.ended
      const third = start('--json')
      await expect.poll(() => third.events.length).toBeGreaterThan(0)
      write('enough', '')
      await expect.poll(() => ended(third.events, 'long')).toMatchObject([{ outcome: 'success' }])
      expect(third.events[0]).toMatchObject({ type: 'found', job: 'long' })
      expect(lines('long')).toEqual(['began', 'ended'])
      third.kill('SIGTERM')
      await third.ended
    },
  )

  it(
    'begins a job when webhooks have come in, also those that came while it was down',
    { tags: ['slow'] },
    async () => {
      jobs(`export const hooks = job({ trigger: received('shop'), run: () => note('runs', 'again') })`)
      process.env.SLUICE_DATA_DIR = join(folder, 'data')
      const inbox = new InboxWriter('shop')
      const first = start()
      await sleep(1500)
      expect(lines('runs')).toEqual([])
      await inbox.add('{"id":1}', new Date())
      await expect.poll(() => lines('runs').length).toBe(1)
      first.kill('SIGINT')
      await first.ended
      await inbox.add('{"id":2}', new Date())
      await inbox.close()
      const second = start()
      await expect.poll(() => lines('runs').length).toBe(2)
      await sleep(1500)
      second.kill('SIGINT')
      expect(await second.ended).toBe(0)
      expect(lines('runs')).toHaveLength(2)
    },
  )

  it('runs what sluice run takes, with the settings of a profile', { tags: ['slow'] }, async () => {
    const target = await api((request, response) =>
      request.headers.authorization === 'Bearer of-production' ? json(response, [{ id: 1 }]) : json(response, {}, 401),
    )
    write(
      'shop.source.yaml',
      `name: shop\nclient: { base_url: '${target.baseUrl}', auth: { type: bearer, token: { secret: token } } }\nresources:\n  - { name: items, endpoint: { path: items, paginator: single_page } }\n`,
    )
    mkdirSync(join(folder, '.sluice'))
    write('.sluice/secrets.toml', '[sources.shop]\ntoken = "of-this-machine"\n')
    write('.sluice/prod.secrets.toml', '[sources.shop]\ntoken = "of-production"\n')
    jobs(`export const shop = job({ run: 'shop.source.yaml', args: ['--dataset', 'live'], profile: 'prod' })
    export const wrong = job({ run: 'shop.source.yaml' })`)
    expect(await start('run', 'wrong').ended).toBe(1)
    expect(await start('run', 'shop').ended).toBe(0)
    process.env.SLUICE_DATA_DIR = join(folder, 'data')
    expect(attach('shop').lastTarget).toMatchObject({ dataset: 'live' })
  })
})

const wrongFiles: [what: string, code: string, told: RegExp, type: string][] = [
  [
    'has a wrong trigger',
    `export const a = job({ run: () => undefined, trigger: every('never') })`,
    /every: "never"[^]*fix: /,
    'module',
  ],
  [
    'has an unknown name',
    'export const a = nothing()',
    /sluice.jobs.ts cannot be loaded: nothing is not defined\n {2}fix: correct it: node /,
    'module',
  ],
  [
    'is in a CommonJS package',
    'export const a = job({ run: () => undefined })',
    /cannot be loaded: [^]*fix: make the project one of modules: npm pkg set type=module/,
    'commonjs',
  ],
]
for (const [[what, code, told, type], options] of tiered(wrongFiles, 1))
  it(`a file that ${what} is refused with a fix`, options, async () => {
    jobs(code)
    write('package.json', JSON.stringify({ type }))
    const list = start('list')
    expect(await list.ended).toBe(2)
    expect(list.said()).toMatch(told)
  })

describe('sluice schedule list, log, once', () => {
  it('and tell Prometheus', async () => {
    jobs(`export const often = job({ run: () => note('often', 'ran'), trigger: every('1s') })
    export const never = job({ run: () => undefined, trigger: cron('0 0 1 1 *') })`)
    const scheduler = start('--metrics', '0')
    await expect.poll(() => scheduler.said()).toMatch(/metrics at http:\S+/)
    const url = /metrics at (\S+)/.exec(scheduler.said())![1]!
    await expect.poll(() => lines('often').length).toBeGreaterThan(1)
    const text = await (await fetch(url)).text()
    expect(text).toMatch(/^sluice_job_runs_succeeded_total\{job="often"\} [1-9]/m)
    expect(text).toMatch(/^sluice_job_late\{job="never"\} 0$/m)
    expect(text).not.toContain('sluice_job_last_success_timestamp_seconds{job="never"}')
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+\{job="\w+"\} -?[\d.e+]+)$/)
    expect((await fetch(new URL('/', url))).status).toBe(404)
    scheduler.kill('SIGTERM')
    expect(await scheduler.ended).toBe(0)
  })

  it('read the file that docs/production.md shows, and run it', { tags: ['slow'] }, async () => {
    const page = readFileSync(new URL('../../docs/production.md', import.meta.url), 'utf8')
    const source = (path: string): string =>
      JSON.stringify(fileURLToPath(new URL(`../../src/${path}`, import.meta.url)))
    const code = /^## Jobs[^]*?^```ts\n([^]*?)^```$/m
      .exec(page)![1]!
      .replace("'sluice'", source('index.ts'))
      .replace("'sluice/jobs'", source('jobs/index.ts'))
      .replace("'sluice/sources/chaport'", source('sources/chats/chaport.ts'))
    const yesterday = new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10)
    write('sluice.jobs.ts', code.replace('2025-01-01', yesterday))
    const once = start('once')
    expect(await once.ended).toBe(0)
    expect(once.said()).toMatch(/days[^]*report/)
    process.env.SLUICE_DATA_DIR = join(folder, 'data')
    expect((await attach('days').dataset().table('days').count()) >= 1).toBe(true)
  })

  it('tell what there is, what it said, and what is due', { tags: ['slow'] }, async () => {
    jobs(`export const hourly = job({ run: () => console.log('said by the job'), trigger: cron('0 * * * *', { timezone: 'Europe/Berlin' }), freshness: '1s' })
    export const days = job({ run: ({ interval }) => note('days', interval!.end.toISOString()), trigger: every('1d'), interval: { start: new Date(Date.now() - 3 * 86400000).toISOString() } })
    export const failing = job({ run: () => { throw new Error('as it should') }, trigger: after(days), retries: 0 })`)
    const before = start('list')
    expect(await before.ended).toBe(0)
    expect(before.said()).toMatch(/days +every 1d +never +now/)
    const once = start('once')
    expect(await once.ended).toBe(1)
    expect(lines('days').length).toBeGreaterThanOrEqual(3)
    expect(once.said()).toContain('as it should')
    expect(await start('run', 'hourly').ended).toBe(0)
    const said = start('log', 'days')
    expect(await said.ended).toBe(0)
    const list = start('list')
    await list.ended
    expect(list.said()).toMatch(/failing +after success of days +✗ \d+ s ago/)
    expect(list.said()).toMatch(/hourly is late since/)
    for (const text of [list.said(), once.said()])
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    const wrong = start('log', 'nothing')
    expect(await wrong.ended).toBe(2)
    expect(wrong.said()).toContain('use one of: days, failing, hourly')
  })
})
