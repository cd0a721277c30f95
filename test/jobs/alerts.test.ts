import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SMTPServer } from 'smtp-server'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { expiringSecrets, secret } from '../../src/index.ts'
import { alerts, toTell, type Told } from '../../src/jobs/alerts/alerts.ts'
import { email, slack, webhook, type Message } from '../../src/jobs/alerts/channels.ts'
import { openAlerts, type Alert, type JobRecord, type LoadedRun } from '../../src/jobs/alerts/conditions.ts'
import { sendAlerts } from '../../src/jobs/alerts/send-alerts.ts'
import { newState, type JobState } from '../../src/jobs/decide.ts'
import { job, type JobOptions } from '../../src/jobs/job.ts'
import { ScheduleStore } from '../../src/jobs/schedule-store.ts'
import { every } from '../../src/jobs/trigger.ts'
import { api, json } from '../support/api.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const library = fileURLToPath(new URL('../../src/jobs/index.ts', import.meta.url))
const now = new Date('2025-06-01T12:00:00Z')
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-alerts-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
})

const run = (rows: number, more: Partial<LoadedRun> = {}): LoadedRun => ({
  id: 'r',
  jobRun: 'r',
  pipeline: 'shop',
  status: 'done',
  tables: { items: rows },
  changes: [],
  ...more,
})

function record(state: Partial<JobState>, runs: LoadedRun[] = [], options: Partial<JobOptions> = {}): JobRecord {
  const one = job({ run: 'x', trigger: every('1h'), ...options })
  one.name = 'shop'
  return { job: one, state: { ...newState(now), ...state }, runs, shownBy: 'sluice schedule log shop' }
}
const open = (one: JobRecord, at = now): string[] =>
  openAlerts([one], [], at).map(({ kind, text }) => `${kind}: ${text}`)

describe('what is open', () => {
  const last = { run: 'r', outcome: 'failure' as const, endedAt: now.toISOString(), ms: 1, error: 'no luck' }

  it('a job that has failed for good, not one that is tried again', () => {
    expect(open(record({ last, failures: 1 }))).toEqual([])
    expect(open(record({ last, failures: 0 }))).toEqual(['failed: shop failed: no luck'])
    // An interval is tried on and on; after the last try of others it counts as failed, too.
    expect(open(record({ last, failures: 4 }))).toEqual(['failed: shop failed: no luck'])
    expect(open(record({ last: { ...last, outcome: 'success' } }))).toEqual([])
    const error = { code: 'CONTRACT_VIOLATED', message: 'items brings a new column', fix: 'x' }
    expect(open(record({ last, failures: 0 }, [run(0, { status: 'failed', error })]))).toEqual([
      'contract: shop failed: items brings a new column',
    ])
    // Of an earlier run of the job.
    const before = run(0, { jobRun: 'before', status: 'failed', error })
    expect(open(record({ last, failures: 0 }, [before]))).toEqual(['failed: shop failed: no luck'])
  })

  it('a job whose tick was not answered, or whose data is too old', () => {
    const seen = { firstSeen: '2025-06-01T09:30:00Z' }
    expect(open(record({ ...seen, doneUntil: '2025-06-01T11:00:00Z' }))).toEqual([])
    expect(open(record({ ...seen, doneUntil: '2025-06-01T10:00:00Z' }))).toEqual([
      'late: shop is late since 2025-06-01 11:05 UTC',
    ])
    const fresh = record({ ...seen, doneUntil: '2025-06-01T12:00:00Z', lastSuccess: '2025-06-01T09:45:00Z' }, [], {
      freshness: '2h',
    })
    expect(open(fresh)).toEqual(['late: shop is late since 2025-06-01 11:45 UTC'])
  })

  it('no rows, far fewer or far more than usual, new columns', () => {
    const usual = [900, 1000, 1100, 1000, 950].map((rows) => run(rows))
    const before = { doneUntil: now.toISOString() }
    expect(open(record(before, [run(1050), ...usual]))).toEqual([])
    expect(open(record(before, [run(0), ...usual]))).toEqual(['zero rows: shop loaded no row; it used to load 1,000'])
    expect(open(record(before, [run(150), ...usual]))).toEqual(['volume: shop loaded 150 rows; it used to load 1,000'])
    expect(open(record(before, [run(6000), ...usual]))).toEqual([
      'volume: shop loaded 6,000 rows; it used to load 1,000',
    ])
    // Too little is known, or too little is usual.
    expect(open(record(before, [run(0), run(1000)]))).toEqual([])
    expect(open(record(before, [run(1), ...Array.from({ length: 6 }, () => run(9))]))).toEqual([])
    const changes = [
      { table: 'items', created: false, columns: [{ name: 'price', dataType: 'decimal', widened: false }] },
    ]
    expect(open(record(before, [run(1000, { changes }), ...usual]))).toEqual([
      'schema change: shop has new columns: items.price decimal',
    ])
  })

  it('secrets that say when they expire', () => {
    const token = (exp: number): string =>
      `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(JSON.stringify({ exp })).toString('base64url')}.x`
    mkdirSync(join(folder, '.sluice'))
    writeFileSync(
      join(folder, '.sluice', 'secrets.toml'),
      `[sources.a]\ntoken = "${token(now.getTime() / 1000 + 86_400)}"\n[sources.b]\ntoken = "${token(now.getTime() / 1000 + 40 * 86_400)}"\nplain = "abc"\n`,
    )
    const expiring = expiringSecrets(new Date(now.getTime() + 7 * 86_400_000), folder)
    expect(expiring.map(({ key }) => key)).toEqual(['sources.a.token'])
    const [alert] = openAlerts([], expiring, now)
    expect(alert).toMatchObject({
      kind: 'credentials',
      text: 'sources.a.token expires at 2025-06-02 12:00 UTC',
      fix: expect.stringContaining('secrets set') as never,
    })
    expect(JSON.stringify(alert)).not.toContain('eyJ')
  })
})

describe('what is told', () => {
  const failed: Alert = { kind: 'failed', id: 'failed shop', text: 'shop failed' }
  const change: Alert = { kind: 'schema change', id: 'schema shop 1', text: 'new columns', isEvent: true }
  const later = (hours: number): Date => new Date(now.getTime() + hours * 3_600_000)

  it('is told once, again after a day, and when it is over; an event only once', () => {
    const all = alerts({ to: [] })
    let told: Told = {}
    const tell = (current: Alert[], at: Date) => {
      const decision = toTell(all, current, told, at)
      told = decision.told
      return [decision.opened.map(({ id }) => id), decision.closed.map(({ id }) => id)]
    }
    expect(tell([failed, change], now)).toEqual([['failed shop', 'schema shop 1'], []])
    expect(tell([failed, change], later(1))).toEqual([[], []])
    expect(tell([failed, change], later(25))).toEqual([['failed shop'], []])
    expect(tell([failed], later(26))).toEqual([[], []])
    expect(tell([], later(27))).toEqual([[], ['failed shop']])
    expect(tell([failed], later(28))).toEqual([['failed shop'], []])
  })

  it('is only what was asked for', () => {
    expect(toTell(alerts({ to: [], on: ['late'] }), [failed], {}, now)).toMatchObject({ opened: [], closed: [] })
    expect(() => alerts({ to: [], on: ['everything' as never] })).toThrow('use some of: failed, late')
  })
})

describe('channels', () => {
  const message: Message = {
    project: 'acme',
    opened: [{ kind: 'failed', id: 'failed shop', text: 'shop failed: no luck', fix: 'look' }],
    closed: [{ kind: 'late', id: 'late days', text: 'days is late' }],
  }

  it('Slack and webhooks get JSON; e-mail gets a subject and a text', async () => {
    const bodies: string[] = []
    const target = await api((_request, response, _url, body) => {
      bodies.push(body)
      json(response, {})
    })
    await slack({ url: `${target.baseUrl}/slack` }).send(message)
    await webhook({ url: `${target.baseUrl}/hook`, headers: { 'x-key': 'k' } }).send(message)
    expect(JSON.parse(bodies[0]!)).toEqual({
      text: '*acme*\n✗ shop failed: no luck\n   fix: look\n✓ over: days is late',
    })
    expect(JSON.parse(bodies[1]!)).toMatchObject({
      project: 'acme',
      opened: [{ id: 'failed shop' }],
      closed: [{ id: 'late days' }],
    })
    expect(target.headers[1]!['x-key']).toBe('k')
    const mail = await mailbox()
    await email({ smtp: mail.url, from: 'sluice@acme.test', to: ['data@acme.test', 'ops@acme.test'] }).send(message)
    expect(mail.letters[0]).toMatch(/Subject: acme: shop failed: no luck/)
    expect(mail.letters[0]).toMatch(/To: data@acme.test, ops@acme.test/)
  })

  it('have their secrets from [alerts]', async () => {
    const target = await api((_request, response) => json(response, {}))
    process.env.ALERTS__SLACK_URL = `${target.baseUrl}/of-the-environment`
    onTestFinished(() => void delete process.env.ALERTS__SLACK_URL)
    await slack({ url: secret('slack_url') }).send(message)
    expect(target.requests).toEqual(['POST /of-the-environment'])
    delete process.env.ALERTS__SLACK_URL
    await expect(slack({ url: secret('slack_url') }).send(message)).rejects.toThrow('set ALERTS__SLACK_URL')
  })

  it('that do not take it are told of, without their address', async () => {
    const target = await api((_request, response) => json(response, {}, 500))
    const secretPath = `${target.baseUrl}/services/T000/very-secret`
    const error = await slack({ url: secretPath })
      .send(message)
      .catch((one: Error) => one)
    expect(String(error)).toMatch(/Slack: the alert was not sent: it answered 500/)
    expect(String(error)).not.toContain('very-secret')
  })

  async function mailbox(): Promise<{ url: string; letters: string[] }> {
    const letters: string[] = []
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onData(stream, _session, callback) {
        const parts: Buffer[] = []
        stream.on('data', (part: Buffer) => parts.push(part))
        stream.on('end', () => {
          letters.push(Buffer.concat(parts).toString())
          callback()
        })
      },
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve(undefined))))
    return { url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`, letters }
  }
})

it('what could not be sent is sent the next time, and then not again', async () => {
  let status = 500
  const target = await api((_request, response) => json(response, {}, status))
  writeFileSync(join(folder, 'sluice.jobs.ts'), '')
  const store = new ScheduleStore(join(folder, 'sluice.jobs.ts'))
  const one = job({ run: 'x' })
  one.name = 'shop'
  const last = { run: 'r', outcome: 'failure' as const, endedAt: now.toISOString(), ms: 1, error: 'no luck' }
  store.write(new Map([['shop', { ...newState(now), last }]]))
  const send = () =>
    sendAlerts(
      [alerts({ to: webhook({ url: target.baseUrl }) })],
      { jobs: [one], states: store.read(), runsOf: () => [], shownBy: () => '' },
      { store, jobsFile: join(folder, 'sluice.jobs.ts'), now },
    )
  expect(await send()).toHaveLength(1)
  status = 200
  expect(await send()).toEqual([])
  expect(await send()).toEqual([])
  expect(target.requests).toHaveLength(2)
})

it('the schedule sends them: a failure, and that it is over', { tags: ['slow'] }, async () => {
  const texts: string[] = []
  const target = await api((_request, response, _url, body) => {
    texts.push((JSON.parse(body) as { text: string }).text)
    json(response, {})
  })
  const broken = join(folder, 'broken')
  writeFileSync(broken, '')
  writeFileSync(
    join(folder, 'sluice.jobs.ts'),
    `import { existsSync } from 'node:fs'
import { alerts, every, job, webhook } from ${JSON.stringify(library)}
export const shaky = job({ run: () => { if (existsSync(${JSON.stringify(broken)})) throw new Error('no luck') }, trigger: every('1s'), retries: 0 })
export const team = alerts({ to: webhook({ url: '${target.baseUrl}' }), on: ['failed'] })
`,
  )
  const child = spawn(process.execPath, [main, 'schedule'], { cwd: folder, env: { ...process.env, HOME: folder } })
  onTestFinished(() => void child.kill('SIGKILL'))
  await expect.poll(() => texts).toMatchObject([expect.stringContaining('✗ shaky failed: no luck')])
  const { stdout } = spawnSync(process.execPath, [main, 'schedule', 'alerts'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, HOME: folder },
  })
  expect(stdout).toMatch(/failed +shaky failed: no luck/)
  rmSync(broken)
  await expect.poll(() => texts).toHaveLength(2)
  expect(texts[1]).toContain('✓ over: shaky failed')
  child.kill('SIGTERM')
})
