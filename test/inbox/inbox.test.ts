import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, utimesSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { pipeline } from '../../src/index.ts'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { inboxSource, serveInbox } from '../../src/inbox/index.ts'
import { InboxWriter } from '../../src/inbox/inbox-store.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-inbox-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
})

const secret = '0123456789abcdef'
const loading = () =>
  pipeline({ name: 'hooks', dataset: 'hooks', destination: duckdb({ path: join(folder, 'hooks.duckdb') }) })
const rows = (table: string, ...columns: string[]) =>
  loading()
    .dataset()
    .table(table)
    .select(...columns)
    .orderBy(columns[0]!)
    .toArray()

async function served(name = 'chatlio', options: { maxBytes?: number } = {}) {
  const server = await serveInbox({ hooks: [{ name, secret }], port: 0, ...options })
  onTestFinished(() => server.close())
  const send = (body: string, path = `/hooks/${name}/${secret}`, init: RequestInit = {}) =>
    fetch(server.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body, ...init })
  return { server, send }
}

describe('what is received', () => {
  it('is loaded once, however often it is sent and loaded; numbers as they came', async () => {
    const { send } = await served('shop')
    const payload = '{ "id": 9007199254740993,\n  "price": 12.10, "text": "a\\nb" }'
    for (let times = 0; times < 3; times++) expect((await send(payload)).status).toBe(200)
    await loading().run(inboxSource('shop'))
    expect((await send('{"id": 2, "tags": ["x", "y"]}')).status).toBe(200)
    expect((await loading().run(inboxSource('shop'))).rows.webhook_payload).toBe(1)
    const info = await loading().run(inboxSource('shop'))
    expect(Object.keys(info.rows)).toEqual([])
    expect((await rows('webhook_payload', 'id', 'text')).map(({ id, text }) => [String(id), text])).toEqual([
      ['2', null],
      ['9007199254740993', 'a\nb'],
    ])
    expect(await rows('webhook_payload__tags', 'value')).toEqual([{ value: 'x' }, { value: 'y' }])
  })

  it('has a table for what it is, where the platform is known', async () => {
    const { send } = await served()
    await send(
      JSON.stringify({
        conversationUUID: 'c1',
        messages: [{ text: 'hello', isVisitorMsg: true }, { text: 'hi' }],
        textBody: '…',
      }),
    )
    await send(JSON.stringify({ email: 'a@example.com', message: 'are you there?' }))
    await send(JSON.stringify({ conversationUUID: 'c1', message: 'new', visitor: { UUID: 'v' } }))
    await send(
      JSON.stringify([
        { conversationUUID: 'c2', message: 'one' },
        { conversationUUID: 'c3', message: 'two' },
      ]),
    )
    await loading().run(inboxSource('chatlio'))
    const counts = await loading().dataset().rowCounts()
    expect(Object.fromEntries(counts)).toMatchObject({
      chat_transcript: 1,
      chat_transcript__messages: 2,
      offline_message: 1,
      webhook_payload: 3,
    })
  })

  it('of a form is an object, or the JSON in it', async () => {
    const { send } = await served('form')
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    await send('a=1&b=two', undefined, { headers })
    await send(`payload=${encodeURIComponent('{"a": 3}')}`, undefined, { headers })
    await loading().run(inboxSource('form'))
    expect(await loading().dataset().table('webhook_payload').count()).toBe(2)
  })
})

describe('what is refused', () => {
  it('another address, another method, no JSON, too much: and nothing of it is kept', async () => {
    const { server, send } = await served('shop', { maxBytes: 1000 })
    for (const path of [
      '/',
      '//',
      '//a:b/hooks',
      '/hooks',
      '/hooks/shop',
      '/hooks/shop/wrong',
      `/hooks/other/${secret}`,
      `/hooks/shop/${secret.slice(1)}`,
    ])
      expect((await send('{}', path)).status, path).toBe(404)
    expect((await fetch(`${server.url}/hooks/shop/${secret}`)).status).toBe(405)
    expect((await send('{"a": ')).status).toBe(400)
    expect((await send(JSON.stringify({ a: 'x'.repeat(2000) }))).status).toBe(413)
    // Too much without a word on how much.
    const status = await new Promise<number>((resolve, reject) => {
      const sent = request(
        `${server.url}/hooks/shop/${secret}`,
        { method: 'POST', headers: { 'content-type': 'application/json' } },
        (response) => resolve(response.statusCode!),
      )
      sent.on('error', reject)
      for (let part = 0; part < 40; part++) sent.write('x'.repeat(100))
      sent.end()
    })
    expect(status).toBe(413)
    await loading().run(inboxSource('shop'))
    expect([...(await loading().dataset().tables()).keys()]).toEqual([])
  })

  it('to receive in a folder that cannot be read, until it can be', async () => {
    const unreadable = join(folder, 'data', 'inbox', 'shop', '0000000000000001.jsonl')
    mkdirSync(unreadable, { recursive: true })
    expect(() => new InboxWriter('shop')).toThrow('EISDIR')
    rmdirSync(unreadable)
    await new InboxWriter('shop').close()
  })

  it('a name that is no folder', () => {
    for (const name of ['../x', 'A', '', 'a/b', '.'])
      expect(() => new InboxWriter(name), name).toThrow('is no name of an inbox')
  })
})

it(
  'acknowledged is kept: a server that is killed again and again loses nothing, and nothing is there twice',
  { tags: ['slow'] },
  async () => {
    const env = { ...process.env, HOME: folder }
    expect(spawnSync(process.execPath, [main, 'serve', 'add', 'shop'], { cwd: folder, env }).status).toBe(0)
    const path = /path = "(\w+)"/.exec(readFileSync(join(folder, '.sluice', 'secrets.toml'), 'utf8'))![1]!
    // Below those that the system gives to others, because it is taken again after each kill.
    const port = 20_000 + (process.pid % 12_000)
    const start = async (more: Record<string, string> = {}) => {
      const child = spawn(process.execPath, [main, 'serve', '--port', String(port), '--json'], {
        cwd: folder,
        env: { ...env, ...more },
      })
      onTestFinished(() => void child.kill('SIGKILL'))
      await once(child.stdout, 'data')
      return child
    }
    const acknowledged: number[] = []
    const end = new AbortController()
    const sender = async (first: number): Promise<void> => {
      for (let id = first; !end.signal.aborted;) {
        const sent = await fetch(`http://127.0.0.1:${port}/hooks/shop/${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ id }),
          signal: AbortSignal.timeout(2000),
        }).catch(() => undefined)
        // As platforms do: the same again, until it is acknowledged.
        if (sent?.status !== 200) await new Promise((resolve) => setTimeout(resolve, 20))
        else {
          acknowledged.push(id)
          id += 4
        }
      }
    }
    const senders = [0, 1, 2, 3].map(sender)
    for (const wait of [300, 150, 500, 90, 400]) {
      const server = await start()
      await new Promise((resolve) => setTimeout(resolve, wait))
      server.kill('SIGKILL')
      await once(server, 'close')
      await loading().run(inboxSource('shop'))
    }
    // And at each of its own steps: with the messages in the file, and with the file on the disk.
    for (const step of ['message-appended:1', 'message-appended:7', 'message-synced:1', 'message-synced:7']) {
      const server = await start({ SLUICE_FAILPOINT: step })
      const [, signal] = (await once(server, 'close')) as [number | null, string | null]
      expect(signal, step).toBe('SIGKILL')
      await loading().run(inboxSource('shop'))
    }
    const last = await start()
    await new Promise((resolve) => setTimeout(resolve, 300))
    end.abort()
    await Promise.all(senders)
    last.kill('SIGTERM')
    await once(last, 'close')
    await loading().run(inboxSource('shop'))
    const ids = (await rows('webhook_payload', 'id')).map(({ id }) => Number(id))
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual(expect.arrayContaining(acknowledged))
    // At most what each sender had sent and was not told of.
    expect(ids.length - acknowledged.length).toBeLessThanOrEqual(4)
    expect(acknowledged.length).toBeGreaterThan(20)
  },
)

it('a torn line is passed over, and not written on; files that are loaded go when they are old', async () => {
  const first = new InboxWriter('shop')
  await first.add('{"id": 1}', new Date())
  await first.close()
  const inboxFolder = join(folder, 'data', 'inbox', 'shop')
  const segments = (): string[] => readdirSync(inboxFolder).filter((name) => name.endsWith('.jsonl'))
  const [file] = segments()
  appendFileSync(join(inboxFolder, file!), '{"sequence":2,"receivedAt":"2025')
  const second = new InboxWriter('shop')
  await Promise.all([second.add('{"id": 2}', new Date()), second.add('{"id": 3}', new Date())])
  await second.close()
  await loading().run(inboxSource('shop'))
  expect((await rows('webhook_payload', 'id')).map(({ id }) => Number(id))).toEqual([1, 2, 3])
  expect(segments()).toHaveLength(2)
  const old = new Date(Date.now() - 40 * 86_400_000)
  for (const name of readdirSync(inboxFolder)) utimesSync(join(inboxFolder, name), old, old)
  await loading().run(inboxSource('shop'))
  // The last one may be written on.
  expect(segments()).toHaveLength(1)
  await loading().run(inboxSource('shop'))
  expect(await loading().dataset().table('webhook_payload').count()).toBe(3)
})
