import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { gunzipSync } from 'node:zlib'
import pg from 'pg'
import { parseUrl } from '../../src/destinations/postgres/connection.ts'
import { openStore, type StoreCredentials } from '../../src/destinations/stores/index.ts'
import type { KnownGaps } from '../../src/testing/index.ts'

/** What Redshift cannot, and why. */
export const redshiftGaps: KnownGaps = {
  'hostile text survives; NUL is kept, or replaced and told': {
    blame: 'upstream',
    reason: 'a VARCHAR of Redshift holds 65,535 bytes; the case has a text of a million characters',
  },
}

/** What PostgreSQL takes and Redshift does not; a statement with any of it is refused, with the reason. */
const foreign: [pattern: RegExp, why: string][] = [
  [/\bON CONFLICT\b/i, 'there is no ON CONFLICT'],
  [/\bON COMMIT DROP\b/i, 'temporary tables last as long as the session'],
  [/\bctid\b/i, 'rows have no ctid that could be read'],
  [/\bjsonb?\b/i, 'JSON is SUPER'],
  [/\bbytea\b|\bdecode\s*\(/i, 'bytes are VARBYTE'],
  [/\bIS (NOT )?DISTINCT FROM\b/i, 'there is no IS DISTINCT FROM'],
  [/\bRETURNING\b/i, 'there is no RETURNING'],
  [/\bDISTINCT ON\b/i, 'there is no DISTINCT ON'],
  [/\bARRAY\s*\[/i, 'there is no ARRAY constructor'],
  [/\bLATERAL\b/i, 'there is no LATERAL'],
  [/\bFILTER\s*\(/i, 'aggregates have no FILTER'],
  [/\bpg_advisory/i, 'there are no advisory locks'],
  [/\bTRUNCATE\b/i, 'TRUNCATE ends the transaction'],
  [/\bCREATE (UNIQUE )?INDEX\b/i, 'there are no indexes'],
  [/\bNO SCROLL\b/i, 'cursors have no options'],
  [/\bFROM STDIN\b/i, 'COPY reads from S3'],
  [/\bALTER COLUMN \S+ (SET|DROP) (DEFAULT|NOT NULL)\b/i, 'a column can only get another length'],
  [/\bALTER COLUMN \S+ TYPE (?!character varying)/i, 'only the length of VARCHAR can be changed'],
  [/\bWITH\s+\w+\s+AS\b[^]*\b(UPDATE|DELETE)\b/i, 'UPDATE and DELETE take no WITH'],
  [/\b(EXISTS|IN) \([^]*\) OR (NOT )?EXISTS\b/i, 'such a correlated subquery is not supported'],
]

/** What Redshift has and PostgreSQL does not, made of what it has. */
const inventory = `
  DO $$ BEGIN
    CREATE DOMAIN public.super AS jsonb;
    CREATE DOMAIN public."binary varying(1024000)" AS bytea;
  EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
  CREATE OR REPLACE FUNCTION public.to_varbyte(text, text) RETURNS bytea LANGUAGE sql IMMUTABLE AS 'SELECT decode($1, $2)';
  CREATE OR REPLACE FUNCTION public.json_parse(text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS 'SELECT $1::jsonb';
`

const translated = (sql: string): string =>
  sql
    .replace(/ (DISTKEY|SORTKEY)\b/g, '')
    .replace(/\bbinary varying\(1024000\)/g, '"binary varying(1024000)"')
    .replace(/format_type\(([^)]*)\)/g, `replace(format_type($1), '"', '')`)
    .replace(/\bOBJECT\(/g, 'jsonb_build_object(')

interface Message {
  type: string
  body: Buffer
}

const frame = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
const text = (value: string): Buffer => Buffer.from(`${value}\0`)

/** The client's first message, which asks for strings in which a backslash begins an escape. */
function withEscapes(startup: Buffer): Buffer {
  const isStartup = startup.readInt32BE(4) === 196608
  if (!isStartup) return startup
  const options = Buffer.from('options\0-c standard_conforming_strings=off -c escape_string_warning=off\0\0')
  const message = Buffer.concat([startup.subarray(0, -1), options])
  message.writeInt32BE(message.length, 0)
  return message
}

/** Cuts a stream of bytes into messages; the client's first one has no type. */
class Framer {
  private rest = Buffer.alloc(0)
  private started: boolean

  constructor(started: boolean) {
    this.started = started
  }

  *take(chunk: Buffer): Generator<Message | Buffer> {
    this.rest = Buffer.concat([this.rest, chunk])
    for (;;) {
      const head = this.started ? 5 : 4
      if (this.rest.length < head) return
      const length = this.rest.readInt32BE(head - 4) + head - 4
      if (this.rest.length < length) return
      const message = this.rest.subarray(0, length)
      this.rest = this.rest.subarray(length)
      if (this.started) {
        yield { type: String.fromCharCode(message[0]!), body: message.subarray(5) }
      } else {
        // A question for SSL is answered with one byte, and the real start follows.
        this.started = message.readInt32BE(4) !== 80877103
        yield message
      }
    }
  }
}

export interface RedshiftServer {
  url: string
  /** Statements as they came, for tests that look at them. */
  statements: string[]
  stop(): void
}

/**
 * A PostgreSQL that behaves like Redshift as far as SQL goes: a guard between client and server refuses what Redshift
 * lacks, and does `COPY … FROM 's3://…'` by reading the bucket.
 */
export async function startRedshift(postgresUrl: string, credentials: StoreCredentials): Promise<RedshiftServer> {
  const { host, port, user, password, database } = parseUrl(postgresUrl)
  const admin = new pg.Client({ host, port, user, password, database } as pg.ClientConfig)
  await admin.connect()
  await admin.query(inventory)
  await admin.end()
  const statements: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const backend = connect(Number(port), host)
    for (const socket of [client, backend]) sockets.add(socket)
    guard(client, backend, statements, credentials)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `redshift://${user}:${encodeURIComponent(password!)}@127.0.0.1:${(server.address() as AddressInfo).port}/${database}?sslmode=disable`,
    statements,
    stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function guard(client: Socket, backend: Socket, statements: string[], credentials: StoreCredentials): void {
  const [fromClient, fromBackend] = [new Framer(false), new Framer(true)]
  /** Set while a COPY from S3 is under way: its rows, for when the server asks for them. */
  let copyRows: Buffer | undefined
  let status = 'I'
  let refusing = false

  const refuse = (message: string): void => {
    const fields = `SERROR\0VERROR\0C0A000\0M${message}\0\0`
    client.write(frame('E', Buffer.from(fields)))
    // As a server does: a failed statement spoils the transaction.
    if (status === 'T') backend.write(frame('Q', text('SELECT 1/0')))
    else client.write(frame('Z', Buffer.from(status)))
    refusing = status === 'T'
  }

  const onQuery = async (sql: string): Promise<void> => {
    statements.push(sql)
    const why = refusal(sql)
    if (why !== undefined) return refuse(`Redshift: ${why}: ${sql.slice(0, 200)}`)
    const copy = /^COPY (.+?) FROM '(s3:[^']+)' (.*)$/s.exec(sql)
    if (copy === null) return void backend.write(frame('Q', text(translated(sql))))
    const [, into, url, options] = copy
    if (!/\b(IAM_ROLE '|ACCESS_KEY_ID ')/.test(options!)) return refuse('Redshift: COPY without authorization')
    if (!/\bFORMAT CSV\b/.test(options!) || !/\bGZIP\b/.test(options!))
      return refuse('only CSV with GZIP is served here')
    copyRows = await objectsAt(url!, credentials)
    const marker = /NULL AS '([^']*)'/.exec(options!)?.[1] ?? ''
    backend.write(frame('Q', text(`COPY ${into} FROM STDIN (FORMAT csv, NULL '${marker}')`)))
  }

  const onMessage = async (message: Message | Buffer): Promise<void> => {
    if (Buffer.isBuffer(message)) backend.write(withEscapes(message))
    else if (message.type === 'Q') await onQuery(message.body.subarray(0, -1).toString())
    else backend.write(frame(message.type, message.type === 'P' ? parsed(message.body) : message.body))
  }
  /** A statement with places for values: its name, the text, the types of the values. */
  const parsed = (body: Buffer): Buffer => {
    const begin = body.indexOf(0) + 1
    const end = body.indexOf(0, begin)
    const sql = body.subarray(begin, end).toString()
    statements.push(sql)
    const why = refusal(sql)
    if (why !== undefined) throw new Error(`Redshift: ${why}: ${sql}`)
    return Buffer.concat([body.subarray(0, begin), text(translated(sql)), body.subarray(end + 1)])
  }

  // Statements are handled one after the other, as they come.
  let before: Promise<void> = Promise.resolve()
  client.on('data', (chunk: Buffer) => {
    for (const message of fromClient.take(chunk)) {
      before = before.then(() => onMessage(message))
    }
    before.catch(() => client.destroy())
  })
  let sslAnswered = false
  backend.on('data', (chunk: Buffer) => {
    // The answer to a question for SSL is one byte without a frame.
    if (!sslAnswered && chunk.length === 1) {
      sslAnswered = true
      return void client.write(chunk)
    }
    for (const message of fromBackend.take(chunk)) {
      if (Buffer.isBuffer(message)) continue
      if (message.type === 'Z') status = message.body.toString()
      if (message.type === 'G' && copyRows !== undefined) {
        backend.write(Buffer.concat([frame('d', copyRows), frame('c', Buffer.alloc(0))]))
        copyRows = undefined
        continue
      }
      // The error of the statement that spoils the transaction is not the client's.
      if (refusing && message.type === 'E') continue
      if (message.type === 'Z') refusing = false
      client.write(frame(message.type, message.body))
    }
  })
  for (const [one, other] of [
    [client, backend],
    [backend, client],
  ] as const) {
    one.on('close', () => other.destroy())
    one.on('error', () => other.destroy())
  }
}

const refusal = (sql: string): string | undefined => {
  // What stands in quotes is a name or a text.
  const bare = sql.replace(/'(?:[^']|'')*'/g, "''").replace(/"(?:[^"]|"")*"/g, '"x"')
  return foreign.find(([pattern]) => pattern.test(bare))?.[1]
}

/** Everything below a prefix, unpacked. */
async function objectsAt(url: string, credentials: StoreCredentials): Promise<Buffer> {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url)!
  const store = await openStore(`s3://${bucket}`, credentials)
  const folder = key!.slice(0, key!.lastIndexOf('/'))
  const paths = (await store.list(folder)).filter((path) => path.startsWith(key!))
  if (paths.length === 0) throw new Error(`there is nothing at ${url}`)
  return Buffer.concat(await Promise.all(paths.map(async (path) => gunzipSync(await store.read(path)))))
}
