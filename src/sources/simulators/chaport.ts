import { moment, Random } from './random.ts'
import { reply, type SimulatedReply, type SimulatedRequest, type Simulation, type SimulationOptions } from './server.ts'

interface Visitor extends Record<string, unknown> {
  id: string
  lastSeen: string
}
interface Chat extends Record<string, unknown> {
  id: number
  visitorId: string
  events: Record<string, unknown>[]
}

/** Chaport: visitors by page, the latest chat of each, and links to its older chats. */
export class ChaportSimulation implements Simulation {
  readonly root = '/api/v1'
  readonly secret = ['token', 'simulated-chaport-token'] as const
  readonly settings = {}
  readonly sent: unknown[] = []
  private readonly random: Random
  private readonly pageSize: number
  private readonly operators: Record<string, unknown>[] = []
  private readonly visitors: Visitor[] = []
  private readonly chats = new Map<string, Chat[]>()
  private readonly subscriptions: unknown[]

  constructor({ size, seed, pageSize }: SimulationOptions) {
    this.random = new Random(seed)
    this.pageSize = pageSize ?? 20
    for (let at = 0; at < 4; at++) this.operators.push(this.operator(at))
    for (let at = 0; at < size; at++) this.addVisitor(at)
    this.subscriptions = ['chat.started', 'chat.finished'].map((event) => ({
      id: this.random.hex(24),
      targetUrl: 'https://hooks.example.com/chaport',
      event,
      essential: true,
      createdAt: moment(3),
    }))
  }

  get data(): Record<string, readonly unknown[]> {
    const chats = [...this.chats.values()].flat()
    return {
      operators: this.operators,
      operator: this.operators,
      visitors: this.visitors,
      visitor: this.visitors,
      visitor_chats: chats,
      chat: chats,
      chat_events: chats.flatMap((chat) => chat.events),
      webhooks: this.subscriptions,
    }
  }

  advance(): void {
    const { length } = this.visitors
    for (let at = 0; at < Math.ceil(length / 20); at++) this.addVisitor(length + at)
    const later = length * 97 + 864_000
    for (const [at, visitor] of this.visitors.slice(0, Math.ceil(length / 50)).entries()) {
      visitor.lastSeen = moment(later + at)
      visitor.notes = 'came back'
      const chats = this.chats.get(visitor.id)!
      chats.push(this.chat(visitor.id, chats.length + 1, later + at))
    }
  }

  handle(request: SimulatedRequest): SimulatedReply {
    if (request.headers.authorization !== `Bearer ${this.secret[1]}`) return failure(401, 'Unauthorized')
    const [first, id, third, chatId, fifth] = request.path
    switch (first) {
      case 'operators':
        return id === undefined
          ? reply({ result: this.operators })
          : single(this.operators.find((one) => one.id === id))
      case 'events':
        return id === 'subscriptions' ? reply({ result: this.subscriptions }) : failure(404, 'Not Found')
      case 'messages':
        return this.send(request)
      case 'visitors':
        if (id === undefined) return this.visitorPage(request)
        if (third === undefined) return single(this.visitors.find((one) => one.id === id))
        return this.chatReply(id, chatId, fifth, request.baseUrl)
    }
    return failure(404, 'Not Found')
  }

  private send({ method, body }: SimulatedRequest): SimulatedReply {
    const { visitorId } = (body ?? {}) as { visitorId?: string }
    if (method !== 'POST') return failure(404, 'Not Found')
    if (!this.chats.has(visitorId ?? '')) return failure(400, 'visitorId is unknown')
    this.sent.push(body)
    return reply({ result: { id: this.random.hex(24), created: true } })
  }

  private visitorPage({ query, baseUrl }: SimulatedRequest): SimulatedReply {
    const page = Number(query.get('page') ?? 1)
    // Newest chat first; here the newest visitors.
    const newest = this.visitors.toReversed()
    const result = newest.slice((page - 1) * this.pageSize, page * this.pageSize)
    const more = page * this.pageSize < newest.length
    return reply({ result, links: more ? { next: `${baseUrl}/visitors?page=${page + 1}` } : {} })
  }

  private chatReply(
    visitor: string,
    chatId: string | undefined,
    part: string | undefined,
    baseUrl: string,
  ): SimulatedReply {
    const chats = this.chats.get(visitor) ?? []
    if (chatId === undefined) {
      const latest = chats.at(-1)
      if (latest === undefined) return failure(404, 'Not Found')
      const more = chats.slice(0, -1).map((chat) => `${baseUrl}/visitors/${visitor}/chats/${chat.id}`)
      return reply({ result: latest, links: { more: more.toReversed() } })
    }
    const chat = chats.find((one) => String(one.id) === chatId)
    if (chat === undefined) return failure(404, 'Not Found')
    return reply({ result: part === 'events' ? chat.events : chat, links: {} })
  }

  private addVisitor(at: number): void {
    const { random } = this
    const id = `620d7da5${at.toString(16).padStart(8, '0')}${random.hex(8)}`
    const seen = at * 97
    this.visitors.push({
      id,
      name: random.name(),
      email: `visitor${at}@example.com`,
      phone: random.chance(0.3) ? '+15550100' : null,
      location: { country: random.pick(['US', 'DE', 'AR']), city: random.pick(['Los Angeles', 'Köln', 'Córdoba']) },
      lastSeen: moment(seen),
      browser: { name: 'Chrome', version: '120' },
      utm: { source: 'google', medium: 'cpc', campaign: random.pick(['spring', null]) },
      custom: random.chance(0.2) ? { 'Plan Name': 'pro', 'isVIP?': true } : {},
    })
    // One visitor in ten never chatted.
    const count = at % 10 === 9 ? 0 : random.int(1, 3)
    this.chats.set(
      id,
      Array.from({ length: count }, (_, chat) => this.chat(id, chat + 1, seen + chat * 10)),
    )
  }

  private chat(visitorId: string, id: number, seconds: number): Chat {
    const { random } = this
    const operator = random.pick(this.operators).id
    return {
      id,
      visitorId,
      stage: random.pick(['closed', 'engaged', 'offline']),
      operators: [operator],
      team: null,
      startPage: { url: 'https://shop.example.com/', title: 'Home' },
      rating: random.pick([null, 1, 5]),
      missed: false,
      events: Array.from({ length: random.int(1, 3) }, (_, at) => ({
        id: random.hex(24),
        type: at % 2 === 0 ? 'visitor-message' : 'operator-message',
        timestamp: moment(seconds + at),
        params: at % 2 === 0 ? { text: random.sentence() } : { text: random.sentence(), operatorId: operator },
      })),
    }
  }

  private operator(at: number): Record<string, unknown> {
    return {
      id: this.random.hex(24),
      email: `operator${at}@example.com`,
      name: this.random.name(),
      language: 'en',
      role: at === 0 ? 'owner' : 'operator',
      lastLoginAt: moment(at * 1000),
      lastStatus: 'online',
    }
  }
}

const failure = (status: number, message: string): SimulatedReply => reply({ error: { message } }, status)
const single = (row: unknown): SimulatedReply =>
  row === undefined ? failure(404, 'Not Found') : reply({ result: row })
