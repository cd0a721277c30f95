import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A row as the API gives it. */
export interface ApiRow {
  id: number
  /** Counts every change of any row: the cursor of a log. */
  seq: number
  version: number
  text: string
  deleted: boolean
  items: { sku: string; tags: { name: string }[] }[]
  /** Not known from the beginning. */
  note?: string
}

/** A row as it must be in the destination: the order of children is part of it. */
export interface Expected {
  id: number
  version: number
  text: string
  items: string
  active: boolean
}

export const rounds = 3
/** A part of the log is loaded once it is complete. */
export const partRows = 100
const pageRows = 30

const rowOf = (id: number, seq: number, version: number, deleted = false): ApiRow => ({
  id,
  seq,
  version,
  text: `row ${id}, "version" ${version}\nñ`,
  deleted,
  items: Array.from({ length: id % 3 }, (_, at) => ({
    sku: `${id}-${version}-${at}`,
    tags: at === 0 ? [{ name: 'a' }, { name: 'b' }] : [],
  })),
  ...(seq > 150 && { note: 'late' }),
})

/** What happens at the API, round by round: rows come, change, go, and come back as they were. */
function makeLog(): ApiRow[][] {
  let seq = 0
  const versions = new Map<number, number>()
  const gone = new Map<number, number>()
  const all: ApiRow[][] = []
  const comes = (id: number, version: number): ApiRow => {
    versions.set(id, version)
    return rowOf(id, ++seq, version)
  }
  for (let round = 1; round <= rounds; round++) {
    const log: ApiRow[] = []
    for (const [id, version] of gone) log.push(comes(id, version))
    gone.clear()
    const known = [...versions.keys()]
    for (const id of known) {
      if (id % 10 === round) {
        gone.set(id, versions.get(id)!)
        log.push(rowOf(id, ++seq, versions.get(id)!, true))
        versions.delete(id)
      } else if (id % 4 === round) log.push(comes(id, versions.get(id)! + 1))
    }
    for (let at = 1; at <= 120; at++) log.push(comes((round - 1) * 120 + at, 1))
    all.push(log)
  }
  return all
}

const log = makeLog()
const until = (round: number): ApiRow[] => log.slice(0, round).flat()

/** What an API shows that keeps no history. */
export function snapshot(round: number): ApiRow[] {
  const rows = new Map<number, ApiRow>()
  for (const row of until(round)) {
    if (row.deleted) rows.delete(row.id)
    else rows.set(row.id, row)
  }
  return [...rows.values()].sort((a, b) => a.id - b.id)
}

const expectedOf = ({ id, version, text, items }: ApiRow, active = true): Expected => ({
  id,
  version,
  text,
  items: JSON.stringify(items.map(({ sku, tags }) => [sku, tags.map(({ name }) => name)])),
  active,
})

/** Every version of a row is one record; a row that comes back as it was begins a new one. */
function versionsOf(last: number): Expected[] {
  const records: Expected[] = []
  for (let round = 1; round <= last; round++) {
    const now = new Map(snapshot(round).map((row) => [row.id, expectedOf(row)]))
    for (const record of records) {
      if (record.active && now.get(record.id)?.version !== record.version) record.active = false
    }
    for (const row of now.values()) {
      if (!records.some((one) => one.active && one.id === row.id)) records.push(row)
    }
  }
  return records
}

const everything = (round: number): Expected[] => until(round).map((row) => expectedOf(row))
const newest = (round: number): Expected[] => snapshot(round).map((row) => expectedOf(row))

/** Ways to load, with what must be there after a round. `gives`: what the API answers with. */
export const scenarios = {
  append: { gives: 'log', expected: everything },
  incremental: { gives: 'log', expected: everything },
  parts: { gives: 'log', expected: (round) => everything(round).slice(0, -(until(round).length % partRows)) },
  merge: { gives: 'log', expected: newest },
  upsert: { gives: 'log', expected: newest },
  replace: { gives: 'snapshot', expected: newest },
  refresh: { gives: 'snapshot', expected: newest },
  drop: { gives: 'snapshot', expected: newest },
  scd2: { gives: 'snapshot', expected: versionsOf },
} as const satisfies Record<string, { gives: 'log' | 'snapshot'; expected(round: number): Expected[] }>

export type ScenarioName = keyof typeof scenarios
export const scenarioNames = Object.keys(scenarios) as ScenarioName[]

/** An API whose time goes on when it is told to; one at a time is loaded from under each name. */
export class World implements AsyncDisposable {
  private readonly at = new Map<string, { scenario: ScenarioName; round: number; asked: () => void }>()
  private readonly server = createServer((request, response) => this.answer(request, response))

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
  }

  /** A new API in its first round; `asked` is called when the first request of a process comes. */
  begin(name: string, scenario: ScenarioName): string {
    this.at.set(name, { scenario, round: 1, asked: () => undefined })
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/${name}`
  }

  onRequest(name: string, asked: () => void): void {
    this.at.get(name)!.asked = asked
  }

  round(name: string): number {
    return this.at.get(name)!.round
  }

  end(name: string): void {
    this.at.delete(name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, 'http://127.0.0.1')
    const [, name, what] = url.pathname.split('/')
    const state = this.at.get(name!)
    if (state === undefined) return void response.writeHead(404).end()
    state.asked()
    if (what === 'advance') {
      const over = state.round === rounds
      if (!over) state.round += 1
      return void response.end(JSON.stringify({ over }))
    }
    const after = Number(url.searchParams.get('after'))
    const before = Number(url.searchParams.get('before') ?? Infinity)
    const { gives } = scenarios[state.scenario]
    const place = gives === 'log' ? 'seq' : 'id'
    const rows = (gives === 'log' ? until : snapshot)(state.round)
    const page = rows.filter((row) => row[place] > after && row[place] < before).slice(0, pageRows)
    // A row of a snapshot that has not changed looks as it did.
    response.end(JSON.stringify(gives === 'log' ? page : page.map((row) => ({ ...row, seq: 0 }))))
  }
}
