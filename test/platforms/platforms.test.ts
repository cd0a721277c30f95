import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { postgres } from '../../src/destinations/postgres/postgres.ts'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import { destinationNames, isEngine, type DestinationName } from '../support/destinations.ts'
import { pipeline, type Destination, type RunEvent, type Source } from '../../src/index.ts'
import { chaport } from '../../src/sources/chats/chaport.ts'
import { chatbot } from '../../src/sources/chats/chatbot.ts'
import { chatlio } from '../../src/sources/chats/chatlio.ts'
import { chatra } from '../../src/sources/chats/chatra.ts'
import { cliengo } from '../../src/sources/chats/cliengo.ts'
import {
  serve,
  simulation,
  type RunningSimulator,
  type Simulation,
  type SimulationOptions,
} from '../../src/sources/simulators/index.ts'
import { expectedTables, lines } from './expected-tables.ts'
import { running } from '../support/running.ts'
import { someOf, tiered } from '../support/effort.ts'

const unlimited = 10_000_000
const platforms: Record<string, (baseUrl: string) => Source> = {
  chatlio: (baseUrl) => chatlio({ baseUrl }),
  chatbot: (baseUrl) => chatbot({ baseUrl }),
  chaport: (baseUrl) => chaport({ baseUrl }),
  chatra: (baseUrl) => chatra({ baseUrl, requestsPerMinute: unlimited }),
  cliengo: (baseUrl) => cliengo({ baseUrl, since: '2025-01-01' }),
}

/** Tables whose rows are the simulator's rows as they are, with the columns a source adds on top. */
const compared: Record<string, Record<string, readonly string[]>> = {
  chatlio: {
    conversation_summary: ['loaded_at'],
    chat_endpoints_widget_id: ['loaded_at'],
    visitor_info: [],
    chat_endpoints: [],
  },
  chatbot: { users: [], chats: [], stories: [], segments: [], entities: [], training_phrases: [] },
  chaport: { operators: [], operator: [], visitors: [], visitor: [], chat: [], webhooks: [] },
  chatra: { message: [], pushed_message: [], client: [] },
  cliengo: { contacts: [], conversations: [], conversation_messages: [], users: [], sites: [], account: [] },
}

let server: RunningSimulator | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

async function setUp(platform: string, options: SimulationOptions, into?: Destination) {
  const folder = mkdtempSync(join(tmpdir(), `sluice-${platform}-`))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  const simulated = simulation(platform, options)!
  server = await serve(simulated)
  const [key, value] = simulated.secret
  process.env[`SOURCES__${platform}_source__${key}`.toUpperCase()] = value
  configure(platform, simulated)
  const target = pipeline({
    name: `${platform}_pipeline`,
    dataset: `${platform}_data`,
    destination: into ?? duckdb({ path: join(folder, `${platform}.duckdb`) }),
  })
  return { simulated, target, server, run: () => target.run(platforms[platform]!(server!.baseUrl)) }
}

function configure(platform: string, simulated: Simulation): void {
  for (const [key, values] of Object.entries(simulated.settings)) {
    process.env[`SOURCES__${platform}_source__${key}`.toUpperCase()] = JSON.stringify(values)
  }
}

type Target = Awaited<ReturnType<typeof setUp>>['target']

async function expectSame(platform: string, simulated: Simulation, target: Target): Promise<void> {
  await target.withDataset(async (data) => {
    for (const [resource, added] of Object.entries(compared[platform]!)) {
      for (const [table, rows] of expectedTables(resource, simulated.data[resource]!)) {
        const loaded = await data.table(table).toArray()
        expect(loaded.length, `rows of ${table}`).toBe(rows.length)
        expect(lines(loaded, added), table).toEqual(lines(rows))
      }
    }
  })
}

const loads = [
  ...someOf(Object.keys(platforms), 1).map((platform) => ({ platform, size: 120, pageSize: 25, tags: [] })),
  ...someOf(Object.keys(platforms), 2, 1).map((platform) => ({
    platform,
    size: 10_000,
    pageSize: 200,
    tags: ['slow'],
  })),
]

for (const { platform, size, pageSize, tags } of loads) {
  it(`${platform}: loads ${size} root rows, then only what is new or changed`, { tags, timeout: 240_000 }, async () => {
    const { simulated, target, server, run } = await setUp(platform, { size, seed: 7, pageSize })
    const first = await run()
    await expectSame(platform, simulated, target)
    const requestsOfFirst = server.requests.length

    const again = await run()
    const requestsOfSecond = server.requests.length - requestsOfFirst
    await expectSame(platform, simulated, target)
    const rows = (info: typeof first): number => Object.values(info.rows).reduce((sum, count) => sum + count, 0)
    // Chatlio can only be read whole, with two requests; the others ask for less the second time.
    if (platform !== 'chatlio') {
      // What has no cursor weighs less the more there is with one.
      expect(rows(again)).toBeLessThan(size === 10_000 ? rows(first) / 5 : rows(first))
      expect(requestsOfSecond).toBeLessThan(size === 10_000 ? requestsOfFirst / 2 : requestsOfFirst)
    }

    simulated.advance()
    configure(platform, simulated)
    await run()
    await expectSame(platform, simulated, target)
  })
}

/** The others, by changing only the destination. */
const others: Partial<Record<DestinationName, () => Destination | Promise<Destination>>> = {
  postgres: async () => postgres({ url: await running('postgres') }),
  filesystem: () => filesystem({ bucketUrl: mkdtempSync(join(tmpdir(), 'sluice-lake-')) }),
  s3: async () => filesystem(await running('s3')),
  azure: async () => filesystem(await running('azure')),
}
const chosen = destinationNames.filter((name) => Object.hasOwn(others, name))

describe.each(chosen.map((name, at) => [name, at] as const))('into %s', (name, at) => {
  for (const [platform, options] of tiered(someOf(Object.keys(platforms), 2, at), isEngine(name) ? 1 : 0, at))
    it(platform, options, async () => {
      const { simulated, target, run } = await setUp(platform, { size: 60, seed: 5 }, await others[name]!())
      await run()
      await expectSame(platform, simulated, target)
      simulated.advance()
      configure(platform, simulated)
      await run()
      await expectSame(platform, simulated, target)
    })
})

describe('shapes that are only guessed', () => {
  it.each(['bare', 'records', 'conversations', 'keyed', 'single'])('chatlio answers %s', async (shape) => {
    const { simulated, target, run } = await setUp('chatlio', { size: 9, seed: 3, shape })
    await run()
    const loaded = await target.dataset().table('conversation_summary').toArray()
    const expected = simulated.data.conversation_summary!.slice(0, shape === 'single' ? 1 : 9)
    expect(lines(loaded, ['loaded_at'])).toEqual(lines(expectedTables('c', expected).get('c')!))
  })

  it('chatbot wraps its chats', async () => {
    const { simulated, target, server } = await setUp('chatbot', { size: 90, seed: 3, shape: 'chats' })
    await target.run(chatbot({ baseUrl: server.baseUrl }).withResources('chats'))
    expect(await target.dataset().table('chats').toArray()).toHaveLength(simulated.data.chats!.length)
  })

  it('cliengo leaves the last day out', async () => {
    // More than the offset cap, so that the days are divided.
    const { simulated, target, run } = await setUp('cliengo', { size: 1500, seed: 3, shape: 'until-excluded' })
    await run()
    await expectSame('cliengo', simulated, target)
  })
})

describe('what the platforms need', () => {
  it('cliengo loads 100,000 contacts past the offset cap', { tags: ['slow'], timeout: 240_000 }, async () => {
    const { simulated, target } = await setUp('cliengo', { size: 100_000, seed: 1 })
    const source = cliengo({ baseUrl: server!.baseUrl, since: '2024-06-01' }).withResources('contacts')
    await target.run(source)
    const [count] = await target
      .dataset()
      .query<{ rows: number; ids: number }>(
        'select count(*) as rows, count(distinct id) as ids from cliengo_data.contacts',
      )
      .toArray()
    expect(count).toEqual({ rows: 100_000, ids: 100_000 })
    expect(simulated.data.contacts).toHaveLength(100_000)
  })

  it('cliengo trades its key for a token', async () => {
    const { target } = await setUp('cliengo', { size: 5, seed: 1 })
    await target.run(cliengo({ baseUrl: server!.baseUrl, since: '2025-01-01', auth: 'jwt' }).withResources('users'))
    expect(server!.requests.filter((one) => one.includes('/jwt'))).toHaveLength(1)
    expect(await target.dataset().table('users').toArray()).toHaveLength(3)
  })

  it('chatra skips and reports a missing id', async () => {
    const { simulated, target, run } = await setUp('chatra', { size: 5, seed: 1 })
    const events: RunEvent[] = []
    target.on((event) => events.push(event))
    await run()
    expect(await target.dataset().table('message').toArray()).toHaveLength(simulated.data.message!.length)
    const skipped = events.filter((event) => event.type === 'skipped')
    expect(skipped).toMatchObject([{ resource: 'message', detail: expect.stringContaining('missingMessage001') }])
  })

  it('chaport keeps each chat with its visitor, and events once', async () => {
    const { simulated, target, run } = await setUp('chaport', { size: 30, seed: 2 })
    await run()
    const data = target.dataset()
    expect(await data.table('visitor_chats').toArray()).toHaveLength(simulated.data.visitor_chats!.length)
    const events = await data.table<{ id: string; visitor_id: string; chat_id: number }>('chat_events').toArray()
    expect(events.map((event) => event.id).sort()).toEqual(
      simulated.data.chat_events!.map((event) => (event as { id: string }).id).sort(),
    )
    const orphans = await data
      .query<{ n: number }>(
        'select count(*) as n from chaport_data.chat_events e anti join chaport_data.visitor_chats c on e.visitor_id = c.visitor_id and e.chat_id = c.id',
      )
      .toArray()
    expect(orphans).toEqual([{ n: 0 }])
  })

  it('chatlio loads recorded webhooks once, and new ones later', async () => {
    const files = mkdtempSync(join(tmpdir(), 'sluice-webhooks-'))
    const visitor = { UUID: 'v1', name: 'Ana', identTraits: '{"plan":"pro"}' }
    const transcript = {
      conversationUUID: 'c1',
      startedAt: '2025-02-07T11:02:20.120000123-08:00',
      messages: [{ text: 'Hi', ts: '1738954940.000123', isVisitorMsg: true }],
    }
    writeFileSync(
      join(files, 'a.json'),
      JSON.stringify([{ message: 'Hi', conversationUUID: 'c1', visitor }, transcript]),
    )
    writeFileSync(
      join(files, 'b.jsonl'),
      `${JSON.stringify({ message: 'one', visitor })}\n${JSON.stringify({ message: 'two' })}\n`,
    )
    const { target } = await setUp('chatlio', { size: 1, seed: 1 })
    const load = () =>
      target.run(chatlio({ baseUrl: server!.baseUrl, webhookFiles: files }).withResources('webhook_payload'))
    expect((await load()).rows).toMatchObject({ webhook_payload: 4, webhook_payload__messages: 1 })
    expect((await load()).rows).toEqual({})
    writeFileSync(join(files, 'c.json'), JSON.stringify({ message: 'three' }))
    expect((await load()).rows).toEqual({ webhook_payload: 1 })
  })

  it('actions write, loads do not', async () => {
    const { simulated, run } = await setUp('chaport', { size: 3, seed: 2 })
    await run()
    expect(server!.requests.every((one) => one.startsWith('GET '))).toBe(true)
    const { id } = simulated.data.visitors![0] as { id: string }
    const message = { visitorId: id, text: 'Hello', operatorId: 'op1' }
    await chaport.actions.sendMessage(message, { baseUrl: server!.baseUrl })
    expect((simulated as unknown as { sent: unknown[] }).sent).toEqual([
      { visitorId: id, chatEvent: { type: 'operator-message', params: { text: 'Hello', operatorId: 'op1' } } },
    ])
    expect(() => chaport.actions.sendMessage({ ...message, text: '' })).toThrow('sendMessage needs text')
  })
})
