import { Random } from './random.ts'
import { reply, type SimulatedReply, type SimulatedRequest, type Simulation, type SimulationOptions } from './server.ts'

type Row = { id: string } & Record<string, unknown>

const begin = Date.UTC(2025, 0, 1)

/** Chatra: everything by id, nothing can be listed. */
export class ChatraSimulation implements Simulation {
  readonly root = '/api'
  readonly secret = ['api_key_pair', 'simulatedpublic:simulatedsecret'] as const
  readonly sent: unknown[] = []
  private readonly random: Random
  private readonly messages = new Map<string, Row>()
  private readonly pushed = new Map<string, Row>()
  private readonly clients = new Map<string, Row>()

  constructor({ size, seed }: SimulationOptions) {
    this.random = new Random(seed)
    const clients = Math.max(1, Math.ceil(size / 10))
    for (let at = 0; at < clients; at++) this.addClient(at)
    for (let at = 0; at < size; at++) this.addMessage(at)
    for (let at = 0; at < Math.ceil(size / 20); at++) this.addPushed(at)
  }

  get settings(): Record<string, readonly string[]> {
    return {
      message_ids: [...this.messages.keys(), 'missingMessage001'],
      pushed_message_ids: [...this.pushed.keys()],
      client_ids: [...this.clients.keys()].slice(0, 3),
    }
  }

  get data(): Record<string, readonly unknown[]> {
    return {
      message: [...this.messages.values()],
      pushed_message: [...this.pushed.values()],
      client: [...this.clients.values()],
    }
  }

  advance(): void {
    const { size } = this.messages
    for (let at = 0; at < Math.ceil(size / 20); at++) this.addMessage(size + at)
  }

  handle({ method, path, headers, body }: SimulatedRequest): SimulatedReply {
    const pair = this.secret[1]
    const basic = `Basic ${Buffer.from(pair).toString('base64')}`
    if (headers.authorization !== `Chatra.Simple ${pair}` && headers.authorization !== basic) {
      return failure(401, 'Unauthorized')
    }
    const [kind, id] = path
    if (method === 'POST') return this.create(kind, body as Record<string, unknown>)
    const rows = { messages: this.messages, pushedMessages: this.pushed, clients: this.clients }[kind ?? '']
    const row = rows?.get(id ?? '')
    return row === undefined ? failure(404, 'Not Found') : reply(row)
  }

  private create(kind: string | undefined, body: Record<string, unknown>): SimulatedReply {
    const { clientId, text } = body
    if (kind !== 'messages' && kind !== 'pushedMessages') return failure(404, 'Not Found')
    if (typeof clientId !== 'string' || typeof text !== 'string' || text === '')
      return failure(400, 'Invalid data format')
    this.sent.push(body)
    const row = { id: this.random.meteorId(), type: 'agent', ...body, createdAt: begin }
    ;(kind === 'messages' ? this.messages : this.pushed).set(row.id, row)
    return reply(row)
  }

  private addMessage(at: number): void {
    const fromAgent = at % 2 === 1
    this.put(this.messages, {
      id: this.random.meteorId(),
      type: fromAgent ? 'agent' : 'client',
      text: this.random.sentence(),
      clientId: this.random.pick([...this.clients.keys()]),
      ...(fromAgent ? { agentId: 'bnRzp4CioKudG4aHm', agentName: 'Daniela' } : {}),
      createdAt: begin + at * 60_123,
    })
  }

  private addPushed(at: number): void {
    this.put(this.pushed, {
      id: this.random.meteorId(),
      type: 'agent',
      text: 'Your order has been shipped',
      clientId: this.random.pick([...this.clients.keys()]),
      agentId: 'bnRzp4CioKudG4aHm',
      createdAt: begin + at * 3_600_000,
      isPushed: true,
    })
  }

  private addClient(at: number): void {
    const { random } = this
    const basicInfo = { name: random.name(), email: `client${at}@example.com`, phone: '+15550100', notes: 'VIP' }
    const integrationData = random.chance(0.5) ? { plan: 'pro' } : {}
    this.put(this.clients, {
      id: random.characters(40, 'abcdefghijklmnopqrstuvwxyz0123456789'),
      chatId: random.meteorId(),
      displayedName: basicInfo.name,
      basicInfo,
      integrationData,
      info: { ...basicInfo, ...integrationData },
      location: { country: 'US', city: 'Los Angeles' },
      lastVisit: { pages: [{ link: 'https://shop.example.com/', title: 'Home', startedAt: begin }] },
    })
  }

  private put(rows: Map<string, Row>, row: Row): void {
    rows.set(row.id, row)
  }
}

const failure = (status: number, message: string): SimulatedReply => reply({ status, message }, status)
