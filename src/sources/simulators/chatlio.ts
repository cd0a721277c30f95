import { moment, Random } from './random.ts'
import { reply, type SimulatedReply, type SimulatedRequest, type Simulation, type SimulationOptions } from './server.ts'

interface Conversation {
  conversationUUID: string
  widgetId: string
  visitor: { UUID: string } & Record<string, unknown>
  [key: string]: unknown
}

/** Chatlio: ongoing conversations only. The shape of its answer is not public; `shape` chooses one. */
export class ChatlioSimulation implements Simulation {
  readonly root = '/v1/api'
  readonly secret = ['api_key', 'simulated-chatlio-key'] as const
  private readonly random: Random
  private readonly shape: string
  private readonly widgets: string[]
  private readonly conversations: Conversation[] = []

  constructor({ size, seed, shape }: SimulationOptions) {
    this.random = new Random(seed)
    this.shape = shape ?? 'bare'
    this.widgets = Array.from({ length: 3 }, () => this.random.uuid())
    for (let at = 0; at < size; at++) this.conversations.push(this.conversation(at))
  }

  get settings(): Record<string, readonly string[]> {
    return { widget_ids: this.widgets }
  }

  get data(): Record<string, readonly unknown[]> {
    return {
      conversation_summary: this.conversations,
      chat_endpoints_widget_id: this.conversations,
      visitor_info: this.conversations.map((one) => one.visitor),
      chat_endpoints: this.widgets.map((widget_id) => ({ widget_id })),
    }
  }

  advance(): void {
    const { length } = this.conversations
    for (let at = 0; at < Math.ceil(length / 20); at++) this.conversations.push(this.conversation(length + at))
    for (const one of this.conversations.slice(0, Math.ceil(length / 50))) one.unreadCount = this.random.int(1, 9)
  }

  handle({ path, headers, query }: SimulatedRequest): SimulatedReply {
    const key = this.secret[1]
    const basic = `Basic ${Buffer.from(`${key}:`).toString('base64')}`
    if (headers.authorization !== `Bearer ${key}` && headers.authorization !== basic) {
      return reply({ error: 'Unauthorized' }, 401)
    }
    const [first, widget, last] = path
    if (first !== 'chat_endpoints' || last !== 'conversation_summary' || path.length !== 3) {
      return reply({ error: 'Not Found' }, 404)
    }
    if (widget !== 'all' && !this.widgets.includes(widget!)) return reply({ error: 'Not Found' }, 404)
    const rows = this.conversations.filter((one) => widget === 'all' || one.widgetId === widget)
    const withVisitor = query.get('visitor_data') === 'true'
    return reply(this.shaped(withVisitor ? rows : rows.map(({ visitor: _, ...row }) => row as Conversation)))
  }

  private shaped(rows: Conversation[]): unknown {
    switch (this.shape) {
      case 'bare':
        return rows
      case 'keyed':
        return Object.fromEntries(this.widgets.map((id) => [id, rows.filter((row) => row.widgetId === id)]))
      case 'single':
        return rows[0] ?? {}
      default:
        return { [this.shape]: rows }
    }
  }

  private conversation(at: number): Conversation {
    const { random } = this
    const started = at * 61
    return {
      conversationUUID: random.uuid(),
      widgetId: random.pick(this.widgets),
      channelId: `C${random.characters(8, 'ABCDEFGHJKMNPQRSTUVWXYZ0123456789')}`,
      channelName: `united-states-${at}`,
      slackChannelName: 'live-chat',
      startedAt: moment(started).replace('Z', '000-08:00'),
      unreadCount: 0,
      visitor: {
        UUID: random.uuid(),
        email: `visitor${at}@example.com`,
        name: random.name(),
        identUserId: `user${at}`,
        identTraits: JSON.stringify({ plan: random.pick(['free', 'pro']) }),
        handle: `united-states-${at}`,
        currentPage: 'https://shop.example.com/signup',
        referrerURL: '',
        createdAt: moment(started - 3).replace('Z', '766-08:00'),
        IPAddress: `203.0.113.${random.int(1, 254)}`,
        location: random.pick(['Los Angeles, California, United States', 'Köln, Deutschland']),
      },
    }
  }
}
