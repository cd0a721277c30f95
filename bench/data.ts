/** Seeded data of several shapes: the same rows in every run, for every tool. */

export const shapes = ['flat', 'nested', 'wide', 'long', 'small'] as const
export type Shape = (typeof shapes)[number]

/** What must be in the tables after a load: facts about contents, not only counts. */
export interface Expected {
  /** Rows by table. */
  rows: Record<string, number>
  /** Sums over columns, by table: numbers as they are, and of text its length in characters. */
  sums: Record<string, Record<string, { of: 'number' | 'text'; sum: number }>>
}

type Row = Record<string, unknown>

/** A small generator of numbers that looks random and never changes (xorshift32). */
function random(seed: number): (below: number) => number {
  let state = seed | 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const words = 'open closed visitor agent message order refund basket checkout hello thanks überall café naïve'.split(
  ' ',
)
const text = (next: (below: number) => number, length: number): string => {
  let made = ''
  while (made.length < length) made += `${words[next(words.length)]} `
  return made.slice(0, length)
}
const moment = (id: number): string => new Date(1_700_000_000_000 + id * 37_123).toISOString()

const makers: Record<Shape, (id: number, next: (below: number) => number) => Row> = {
  flat: (id, next) => ({
    id,
    name: `visitor ${id}`,
    email: `v${id}@example.com`,
    created_at: moment(id),
    score: next(10_000) / 100,
    active: next(2) === 0,
    country: words[next(words.length)],
    visits: next(1000),
    title: text(next, 40),
    note: next(5) === 0 ? null : text(next, 20),
  }),
  nested: (id, next) => ({
    id,
    title: text(next, 40),
    body: text(next, 100),
    created_at: moment(id),
    updated_at: moment(id + 5),
    state: words[next(4)],
    locked: next(2) === 0,
    comments: next(50),
    user: { login: `user${next(5000)}`, id: next(5000), plan: { name: words[next(3)], seats: next(20) } },
    labels: [0, 1, 2].map((at) => ({ id: at + next(100), name: words[next(words.length)], color: text(next, 6) })),
    assignees: [`user${next(5000)}`, `user${next(5000)}`],
    reactions: { plus: next(20), minus: next(5), heart: next(9) },
  }),
  wide: (id, next) => {
    const row: Row = { id }
    for (let at = 0; at < 499; at++) row[`column_${at}`] = at % 3 === 0 ? text(next, 8) : next(100_000)
    return row
  },
  long: (id, next) => ({ id, title: text(next, 20), body: text(next, 20_000) }),
  small: (id, next) => ({ id, name: `row ${id}`, value: next(1000) }),
}

/** Rows a page: many small pages cost what a page costs, long texts what a byte costs. */
export const pageRows: Record<Shape, number> = { flat: 1000, nested: 1000, wide: 100, long: 100, small: 10 }

/** The bodies of all pages, ready to be sent: `{"data":[…],"next":"…"}`. */
export function pages(shape: Shape, rows: number, baseUrl: string): Buffer[] {
  const next = random(7)
  const perPage = pageRows[shape]
  const bodies: Buffer[] = []
  for (let from = 0; from < rows; from += perPage) {
    const data: Row[] = []
    for (let id = from; id < Math.min(rows, from + perPage); id++) data.push(makers[shape](id, next))
    const link = from + perPage < rows ? `${baseUrl}/${shape}/${bodies.length + 1}` : null
    bodies.push(Buffer.from(JSON.stringify({ data, next: link })))
  }
  return bodies
}

export function expected(shape: Shape, rows: number): Expected {
  const next = random(7)
  const found: Expected = { rows: {}, sums: {} }
  const count = (table: string, row: Row): void => {
    found.rows[table] = (found.rows[table] ?? 0) + 1
    const sums = (found.sums[table] ??= {})
    for (const [key, value] of Object.entries(row)) {
      if (key.endsWith('_at') || (typeof value !== 'number' && typeof value !== 'string')) continue
      const entry = (sums[key] ??= { of: typeof value === 'number' ? 'number' : 'text', sum: 0 })
      entry.sum += typeof value === 'number' ? value : value.length
    }
  }
  for (let id = 0; id < rows; id++) {
    const { columns, lists } = flattened(makers[shape](id, next))
    count(shape, columns)
    for (const [name, items] of Object.entries(lists)) {
      for (const item of items) count(`${shape}__${name}`, typeof item === 'object' ? (item as Row) : { value: item })
    }
  }
  return found
}

/** Objects become prefixed columns, lists are taken out: dlt's rule, written down a second time to check by. */
function flattened(row: Row, prefix = ''): { columns: Row; lists: Record<string, unknown[]> } {
  const columns: Row = {}
  const lists: Record<string, unknown[]> = {}
  for (const [key, value] of Object.entries(row)) {
    if (Array.isArray(value)) lists[`${prefix}${key}`] = value
    else if (typeof value === 'object' && value !== null) {
      Object.assign(columns, flattened(value as Row, `${prefix}${key}__`).columns)
    } else columns[`${prefix}${key}`] = value
  }
  return { columns, lists }
}
