import { moment, Random } from './random.ts'
import { reply, type SimulatedReply, type SimulatedRequest, type Simulation, type SimulationOptions } from './server.ts'

interface User extends Record<string, unknown> {
  id: string
  createdAt: string
  lastSeen: string
}
interface Chat extends Record<string, unknown> {
  id: string
  createdAt: string
}

const pageSize = 40

/** ChatBot: users by cursor, chats newest first, bare lists, and old paths for interactions. */
export class ChatbotSimulation implements Simulation {
  readonly root = ''
  readonly secret = ['api_key', 'simulated_chatbot_token_00000000'] as const
  readonly settings = {}
  private readonly random: Random
  private readonly shape: string
  private readonly users: User[] = []
  private readonly chats: Chat[] = []
  private readonly stories: { id: string; [key: string]: unknown }[] = []
  private readonly segments: unknown[]
  private readonly entities: unknown[]
  private readonly phrases: unknown[] = []
  private readonly sorted = new Map<string, unknown[]>()

  constructor({ size, seed, shape }: SimulationOptions) {
    this.random = new Random(seed)
    this.shape = shape ?? 'bare'
    for (let at = 0; at < 5; at++) this.stories.push(this.story(at))
    for (let at = 0; at < size; at++) this.users.push(this.user(at))
    for (let at = 0; at < size; at++) this.chats.push(this.chat(at))
    this.segments = ['Leads', 'Customers'].map((name) => ({
      id: this.random.hex(24),
      name,
      users: this.random.int(0, size),
      createdAt: spaced(moment(7)),
    }))
    this.entities = ['movies', 'colours'].map((name) => ({
      id: this.random.hex(24),
      name,
      entries: [
        { value: 'Star Wars', synonyms: [{ value: 'Star Wars' }, { value: 'SW' }] },
        { value: 'Dune', synonyms: [] },
      ],
    }))
    for (let at = 0; at < Math.min(size, 500); at++) this.phrases.push(this.phrase(at))
  }

  get data(): Record<string, readonly unknown[]> {
    return {
      users: this.users,
      users_single: this.users,
      chats: this.chats,
      stories: this.stories,
      segments: this.segments,
      entities: this.entities,
      training_phrases: this.phrases,
      welcome_interaction: this.stories,
      fallback_interaction: this.stories,
    }
  }

  advance(): void {
    const { length } = this.users
    // A day later than everything before: what is new was also seen last.
    const gap = 1440
    for (let at = 0; at < Math.ceil(length / 20); at++) {
      this.users.push(this.user(length + gap + at))
      this.chats.push(this.chat(length + gap + at))
    }
    this.sorted.clear()
    const later = moment(length * 120 + 2 * 86_400)
    for (const user of this.users.slice(0, Math.ceil(length / 50))) {
      user.lastSeen = spaced(later)
      user.banned = true
    }
  }

  handle(request: SimulatedRequest): SimulatedReply {
    if (request.headers.authorization !== `Bearer ${this.secret[1]}`) return failure(401, 'unauthorized')
    const { path, query } = request
    switch (path.join('/')) {
      case 'users':
        return this.usersPage(query)
      case 'users/segments':
        return reply(this.segments)
      case 'v2/stories':
        return reply(this.stories)
      case 'v2/chats':
        return this.chatsPage(query)
      case 'entities':
        return reply(this.entities)
      case 'training':
        return this.trainingPage(query)
    }
    return this.single(path)
  }

  private single(path: string[]): SimulatedReply {
    const [first, id, third, fourth] = path
    if (first === 'reports') return this.report(path)
    if (first === 'users') return this.one(this.users, id, userDetails)
    if (first === 'stories' && third === 'interactions' && (fourth === 'welcome' || fourth === 'fallback')) {
      return this.one(this.stories, id, () => ({
        name: fourth,
        enabled: true,
        responses: [{ type: 'text', filters: [], elements: [{ text: `Hello from ${fourth}` }] }],
      }))
    }
    return failure(404, 'not_found')
  }

  private one<T extends { id: string }>(
    rows: readonly T[],
    id: string | undefined,
    show: (row: T) => unknown,
  ): SimulatedReply {
    const row = rows.find((one) => one.id === id)
    return row === undefined ? failure(404, 'not_found') : reply(show(row))
  }

  private usersPage(query: URLSearchParams): SimulatedReply {
    const field = query.get('sort[field]') === 'lastSeen' ? 'lastSeen' : 'createdAt'
    const newest = this.newestFirst(this.users, field)
    const sorted = query.get('sort[order]') === 'asc' ? newest.toReversed() : newest
    const after = query.get('after')
    const start = after === null ? 0 : sorted.findIndex((user) => user.id === after) + 1
    const limit = Math.min(Number(query.get('limit') ?? pageSize), pageSize)
    return reply({ data: sorted.slice(start, start + limit), count: this.users.length })
  }

  private chatsPage(query: URLSearchParams): SimulatedReply {
    const before = Number(query.get('after') ?? Number.MAX_SAFE_INTEGER)
    const newest = this.newestFirst(this.chats, 'createdAt')
    const first = newest.findIndex((chat) => Date.parse(chat.createdAt) < before)
    const page = first < 0 ? [] : newest.slice(first, first + pageSize)
    return reply(this.shape === 'bare' ? page : { [this.shape]: page })
  }

  private newestFirst<T extends { id: string }>(rows: readonly T[], field: keyof T & string): T[] {
    let sorted = this.sorted.get(field + rows[0]?.id) as T[] | undefined
    if (sorted === undefined) {
      const order = (a: string, b: string): number => (a < b ? 1 : a > b ? -1 : 0)
      sorted = rows.toSorted((a, b) => order(String(a[field]), String(b[field])) || order(a.id, b.id))
      this.sorted.set(field + rows[0]?.id, sorted)
    }
    return sorted
  }

  private trainingPage(query: URLSearchParams): SimulatedReply {
    const page = Number(query.get('page') ?? 1)
    return reply({ items: this.phrases.slice((page - 1) * 50, page * 50), count: this.phrases.length })
  }

  private report(path: string[]): SimulatedReply {
    const data = Array.from({ length: 30 }, (_, day) => ({ date: moment(day * 86_400), value: (day * 7) % 13 }))
    if (path[1]?.startsWith('conversations') !== true) return failure(404, 'not_found')
    return reply({ data, summary: { total: 180, min: 0, max: 12, avg: 6 } })
  }

  private user(at: number): User {
    const { random } = this
    return {
      id: (1_500_000_000 + at).toString(16) + random.hex(16),
      userId: random.uuid(),
      banned: false,
      attributes: {
        default_email: `user${at}@example.com`,
        default_name: random.name(),
        default_language: random.pick(['en', 'es', null]),
        score: random.chance(0.5) ? random.int(0, 100) / 4 : null,
      },
      conversations: random.int(1, 9),
      createdAt: spaced(moment(at * 60)),
      lastSeen: spaced(moment(at * 60 + random.int(0, 3600))),
    }
  }

  private chat(at: number): Chat {
    const { random } = this
    const user = this.users[at] ?? this.users[0]!
    return {
      id: random.hex(24),
      storyId: random.pick(this.stories).id,
      user: { id: user.id, name: random.name(), avatar: null },
      source: random.pick(['app', 'widget', 'messenger']),
      messages: Array.from({ length: random.int(1, 5) }, (_, turn) => ({
        from: turn % 2 === 0 ? 'bot' : 'user',
        message: random.sentence(),
      })),
      finished: random.chance(0.9),
      createdAt: moment(at * 60 + 5),
      updatedAt: moment(at * 60 + 300),
    }
  }

  private story(at: number): { id: string; [key: string]: unknown } {
    const { random } = this
    return {
      id: random.hex(24),
      name: `Story ${at + 1}`,
      description: random.sentence(),
      version: 2,
      published: at % 2 === 0,
      integrations: at % 2 === 0 ? ['widget'] : ['widget', 'slack'],
      metrics: [{ date: '2025-01-16', conversations: random.int(0, 50) }],
    }
  }

  private phrase(at: number): unknown {
    return {
      id: this.random.hex(24),
      storyId: this.random.pick(this.stories).id,
      date: moment(at * 600),
      text: this.random.sentence(),
      unmatched: this.random.int(1, 5),
    }
  }
}

// Users and segments write their times with a space.
const spaced = (iso: string): string => iso.replace('T', ' ')

const userDetails = (user: User): unknown => ({
  ...user,
  conversations: [{ id: user.id.slice(0, 8) }],
  sessionAttributes: {},
})

const failure = (status: number, type: string): SimulatedReply =>
  reply({ timestamp: moment(0), status: { code: status, type } }, status)
