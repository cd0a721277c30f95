import { incremental, resource, source, type Pipeline, type ResourceContext, type Source } from '../../src/index.ts'

/** What is loaded while something breaks, and what must be there in the end. */
const eventCount = 2000
const chatCount = 400
const pageRows = 50

export type Rows = { id: number }[]
export type ReadPage = (table: string, after: number) => Promise<Rows>

const tables: Record<string, () => Rows> = {
  events: () => Array.from({ length: eventCount }, (_, at) => ({ id: at + 1, text: `event ${at + 1}`, at: at * 1.5 })),
  chats: () =>
    Array.from({ length: chatCount }, (_, at) => ({
      id: at + 1,
      messages: [{ text: `hello ${at}`, tags: ['a', 'b'] }, { text: 'bye' }],
    })),
}

export const pageOf = (table: string, after: number): Rows =>
  tables[table]!()
    .filter((row) => row.id > after)
    .slice(0, pageRows)

export function crashSource(readPage: ReadPage): Source {
  async function* pages(name: string, start: number): AsyncGenerator<Rows> {
    for (let after = start; ;) {
      const rows = await readPage(name, after)
      if (rows.length === 0) return
      yield rows
      after = rows.at(-1)!.id
    }
  }
  const since =
    (name: string) =>
    ({ cursor }: ResourceContext) =>
      pages(name, Number(cursor?.startValue ?? 0))
  const events = resource('events', since('events'), {
    incremental: incremental('id', { rowOrder: 'asc' }),
    writeDisposition: 'append',
  })
  const chats = resource('chats', since('chats'), {
    incremental: incremental('id'),
    writeDisposition: 'merge',
    primaryKey: 'id',
  })
  return source('crash', [events, chats])
}

/** Counts of rows, and of everything that must not be. */
export async function contents(target: Pipeline, dataset: string): Promise<Record<string, unknown>> {
  const without = (left: string, key: string, right: string, other: string): string =>
    `(select count(*) from ${dataset}.${left} where ${key} not in (select ${other} from ${dataset}.${right}))`
  const [row] = await target
    .dataset()
    .query(
      `select (select count(*) from ${dataset}.events) as events, (select count(distinct id) from ${dataset}.events) as event_ids,
        (select count(*) from ${dataset}.chats) as chats, (select count(distinct id) from ${dataset}.chats) as chat_ids,
        (select count(*) from ${dataset}.chats__messages) as messages,
        (select count(*) from ${dataset}.chats__messages__tags) as tags,
        ${without('chats__messages', '_dlt_parent_id', 'chats', '_dlt_id')} as orphans,
        (select count(*) - count(distinct load_id) from ${dataset}._dlt_loads) as doubled_loads,
        ${without('events', '_dlt_load_id', '_dlt_loads', 'load_id')} as unledgered`,
    )
    .toArray()
  return Object.fromEntries(Object.entries(row!).map(([name, count]) => [name, Number(count)]))
}

export const complete = {
  events: eventCount,
  event_ids: eventCount,
  chats: chatCount,
  chat_ids: chatCount,
  messages: 2 * chatCount,
  tags: 2 * chatCount,
  orphans: 0,
  doubled_loads: 0,
  unledgered: 0,
}
