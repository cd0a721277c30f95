import { moment, Random } from './random.ts'
import { reply, type SimulatedReply, type SimulatedRequest, type Simulation, type SimulationOptions } from './server.ts'

interface Contact extends Record<string, unknown> {
  id: string
  creationDate: string
}
interface Conversation extends Record<string, unknown> {
  id: string
  creationDate: string
  lastMessageDate: string
}

const maxOffset = 1000

/** Cliengo: offsets end at 1,000, newest first, and only days narrow a query. `until` may or may not include its day. */
export class CliengoSimulation implements Simulation {
  readonly root = '/1.0'
  readonly secret = ['api_key', '6b1e7a50-0000-4000-a000-simulated000'] as const
  readonly settings = {}
  private readonly random: Random
  private readonly untilIncluded: boolean
  private readonly contacts: Contact[] = []
  private readonly conversations: Conversation[] = []
  private readonly messages = new Map<string, Record<string, unknown>[]>()
  private readonly users: unknown[]
  private readonly sites: { id: string; [key: string]: unknown }[]
  private readonly account: unknown

  constructor({ size, seed, shape }: SimulationOptions) {
    this.random = new Random(seed)
    this.untilIncluded = shape !== 'until-excluded'
    this.sites = [0, 1].map((at) => ({
      id: this.random.hex(24),
      url: `https://shop${at}.example.com`,
      title: `Shop ${at}`,
      tags: [],
      creationDate: '2019-11-29T00:00:00.000Z',
    }))
    this.users = [0, 1, 2].map((at) => ({
      id: this.random.hex(24),
      name: this.random.name(),
      email: `agent${at}@example.com`,
      privileges: at === 0 ? 'ADMIN' : 'AGENT',
      roles: [],
      creationDate: '2021-01-01T00:00:00.000Z',
    }))
    this.account = {
      id: this.random.hex(24),
      name: 'Demo',
      email: 'demo@example.com',
      leadCount: size,
      creationDate: '2013-11-06T00:00:00.000Z',
    }
    for (let at = 0; at < size; at++) this.contacts.push(this.contact(at))
    for (let at = 0; at < Math.ceil(size / 10); at++) this.addConversation(at)
  }

  get data(): Record<string, readonly unknown[]> {
    return {
      contacts: this.contacts,
      conversations: this.conversations,
      conversation_messages: [...this.messages.values()].flat(),
      users: this.users,
      sites: this.sites,
      account: [this.account],
    }
  }

  advance(): void {
    const { length } = this.contacts
    for (let at = 0; at < Math.ceil(length / 20); at++) this.contacts.push(this.contact(length + at))
    for (const [at, conversation] of this.conversations.slice(0, 3).entries()) {
      conversation.lastMessageDate = moment(length * 300 + 864_000 + at)
      this.messages.get(conversation.id)!.push(this.message(conversation.id, 99))
    }
  }

  handle({ path, query, headers }: SimulatedRequest): SimulatedReply {
    const key = this.secret[1]
    if (path[0] === 'jwt') {
      return query.get('api_key') === key ? reply({ jwt: 'simulated.jwt.token' }) : unauthorized
    }
    const byToken = headers.authorization === 'Bearer simulated.jwt.token'
    if (query.get('api_key') !== key && !byToken) return unauthorized
    switch (path[0]) {
      case 'account':
        return reply(this.account)
      case 'users':
        return listReply(this.users, query)
      case 'sites':
        return listReply(this.sites, query)
      case 'contacts':
        return this.byDay(this.contacts, path[1], query)
      case 'conversations':
        return path[2] === 'messages'
          ? listReply(this.messages.get(path[1]!) ?? [], query)
          : this.byDay(this.conversations, path[1], query)
    }
    return reply({ error: 'not_found', message: 'Not found' }, 404)
  }

  private byDay(
    rows: readonly (Contact | Conversation)[],
    id: string | undefined,
    query: URLSearchParams,
  ): SimulatedReply {
    if (id !== undefined) {
      const row = rows.find((one) => one.id === id)
      return row === undefined ? reply({ error: 'not_found', message: 'Not found' }, 404) : reply(row)
    }
    const since = query.get('since') ?? ''
    const until = query.get('until')
    const isWithin = (day: string): boolean =>
      day >= since && (until === null || day < until || (this.untilIncluded && day === until))
    const found = rows.filter((row) => isWithin(row.creationDate.slice(0, 10)))
    return listReply(found.toReversed(), query)
  }

  private contact(at: number): Contact {
    const { random } = this
    return {
      id: random.hex(24),
      name: random.name(),
      email: `lead${at}@example.com`,
      phone: '+541138152222',
      status: random.pick(['NEW', 'CONTACTED', 'WON']),
      websiteId: random.pick(this.sites).id,
      tags: random.chance(0.3) ? ['fired_new_lead', 'vip'] : [],
      utm: { source: random.pick(['google', 'direct']) },
      // Four contacts an hour, so that a day never has more than the API serves.
      creationDate: moment(at * 300),
    }
  }

  private addConversation(at: number): void {
    const { random } = this
    const id = random.hex(24)
    const messages = Array.from({ length: random.int(1, 4) }, (_, turn) => this.message(id, turn))
    this.messages.set(id, messages)
    this.conversations.push({
      id,
      websiteId: random.pick(this.sites).id,
      channel: 'WEB',
      status: 'ACTIVE',
      visitorName: random.name(),
      isClosed: false,
      participants: [{ id: '1234', type: 'robot' }],
      tags: ['fired_new_lead'],
      creationDate: moment(at * 3000),
      lastMessageDate: moment(at * 3000 + 300),
    })
  }

  private message(conversationId: string, turn: number): Record<string, unknown> {
    return {
      id: this.random.hex(24),
      type: 'text/plain',
      body: this.random.sentence(),
      sender: { id: '1234', type: turn % 2 === 0 ? 'robot' : 'visitor', name: null },
      conversationId,
      sentAt: moment(turn * 60),
      isUnread: false,
    }
  }
}

const unauthorized = reply({ error: 'unauthorized', message: "You couldn't be authenticated" }, 401)

function listReply(rows: readonly unknown[], query: URLSearchParams): SimulatedReply {
  const limit = Math.min(Number(query.get('limit') ?? 50), 100)
  const offset = Number(query.get('offset') ?? 0)
  if (offset > maxOffset) {
    return reply({ error: 'bad_request', message: 'Offset cannot be greater than 1000' }, 400)
  }
  return reply({ paging: { limit, total: rows.length, offset }, results: rows.slice(offset, offset + limit) })
}
