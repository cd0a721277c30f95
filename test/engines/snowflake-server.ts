import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { tableFromIPC } from 'apache-arrow'
import { freePort, listening, stopProcess } from '../support/bucket-servers.ts'
import type { KnownGaps } from '../../src/testing/index.ts'
import { installFakesnow } from './install.ts'

/** What Snowflake cannot, and what fakesnow cannot. */
export const snowflakeGaps: KnownGaps = {
  'every type comes back as it was': {
    blame: 'upstream',
    reason: 'fakesnow keeps NUMBER(38,0) in 64 bits',
  },
  'columns and types grow without losing a value': {
    blame: 'upstream',
    reason: 'fakesnow keeps NUMBER(38,0) in 64 bits',
  },
  'a load that fails half-way leaves nothing': {
    blame: 'upstream',
    reason: 'a change of a table cannot be taken back in Snowflake: the new column of a load that failed stays, empty',
  },
}

export interface SnowflakeServer {
  accessUrl: string
  /** Statements as they came. */
  statements: string[]
  stop(): Promise<void>
}

interface Column {
  type: string
  scale: number | null
}

interface Answer {
  data?: {
    parameters?: { name: string; value: string }[]
    queryResultFormat?: string
    rowsetBase64?: string
    rowset?: (string | null)[][]
    rowtype?: Column[]
    total?: number
    returned?: number
    command?: string
    src_locations?: string[]
    stageInfo?: { locationType: string; location: string; presignedUrl?: string }
  } | null
}

/**
 * fakesnow, and before it what its answers need to be read by Snowflake's driver for Node: that one reads rows as JSON,
 * where fakesnow writes Arrow, and uploads to a folder, where fakesnow offers an address.
 */
export async function startSnowflake(): Promise<SnowflakeServer> {
  const port = await freePort()
  const engine = spawn(installFakesnow(), ['-s', '-p', String(port)], { stdio: 'ignore' })
  await listening(port, engine)
  const statements: string[] = []
  const folder = mkdtempSync(join(tmpdir(), 'sluice-snowflake-stage-'))
  /** What connections have set; all of them set the same. */
  const parameters = new Map<string, string>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const isQuery = request.url!.includes('query-request')
    const sql = isQuery ? sqlOf(body, request.headers) : ''
    if (isQuery) statements.push(sql)
    const setting = /^ALTER SESSION SET (\w+) = '(.*)'$/.exec(sql)
    if (setting !== null) {
      parameters.set(setting[1]!, setting[2]!)
      response.writeHead(200, { 'content-type': 'application/json' })
      return void response.end(JSON.stringify(settingAnswer(parameters)))
    }
    const { status, headers, content } = await send(port, request.method!, request.url!, request.headers, body)
    if (isQuery && status >= 500) {
      response.writeHead(200, { 'content-type': 'application/json' })
      return void response.end(JSON.stringify(conflictAnswer))
    }
    const text = isQuery && status === 200 ? await translated(content, folder, parameters) : content
    const {
      'content-encoding': _encoding,
      'content-length': _length,
      'transfer-encoding': _transfer,
      ...rest
    } = headers
    response.writeHead(status, rest)
    response.end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    accessUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    statements,
    async stop() {
      server.close()
      server.closeAllConnections()
      await stopProcess(engine)
    },
  }
}

const unpacked = (body: Buffer, headers: IncomingHttpHeaders): Buffer =>
  headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body

const sqlOf = (body: Buffer, headers: IncomingHttpHeaders): string =>
  String((JSON.parse(unpacked(body, headers).toString()) as { sqlText: string }).sqlText)

function send(port: number, method: string, path: string, headers: IncomingHttpHeaders, body: Buffer) {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; content: Buffer }>((resolve, reject) => {
    const onward = httpRequest({ host: '127.0.0.1', port, method, path, headers }, async (answer) => {
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk as Buffer)
      resolve({
        status: answer.statusCode!,
        headers: answer.headers,
        content: unpacked(Buffer.concat(chunks), answer.headers),
      })
    })
    onward.on('error', reject)
    onward.end(body)
  })
}

async function translated(content: Buffer, folder: string, parameters: ReadonlyMap<string, string>): Promise<Buffer> {
  const answer = JSON.parse(content.toString()) as Answer
  const { data } = answer
  if (data === undefined || data === null) return content
  if (data.command === 'UPLOAD') await upload(data, folder)
  if (data.parameters !== undefined) data.parameters = named(parameters)
  if (data.queryResultFormat === 'arrow') {
    data.queryResultFormat = 'json'
    data.rowset = rowsOf(data.rowsetBase64 ?? '', data.rowtype ?? [])
    delete data.rowsetBase64
  }
  if (data.rowset !== undefined) data.returned = data.total = data.rowset.length
  return Buffer.from(JSON.stringify(answer))
}

const named = (parameters: ReadonlyMap<string, string>): { name: string; value: string }[] =>
  [...parameters].map(([name, value]) => ({ name, value }))

/**
 * fakesnow has no answer to a conflict of two transactions but status 500. The driver sends the statement again then, and a
 * second COMMIT, for which there is no transaction any more, would be answered as if it had been done.
 */
const conflictAnswer = {
  success: false,
  code: '000625',
  message: 'Statement was aborted because of a conflict with another transaction',
  data: { errorCode: '000625', sqlState: '57014' },
}

/** fakesnow knows no parameters of a session; the driver formats values by what the server says they are. */
const settingAnswer = (parameters: ReadonlyMap<string, string>): object => ({
  success: true,
  data: {
    parameters: named(parameters),
    rowtype: [
      {
        name: 'status',
        type: 'text',
        nullable: true,
        length: 16_777_216,
        byteLength: null,
        scale: null,
        precision: null,
      },
    ],
    rowset: [['Statement executed successfully.']],
    total: 1,
    returned: 1,
    queryId: '01b00000-0000-0000-0000-000000000000',
    statementTypeId: 16_384,
    queryResultFormat: 'json',
  },
})

/** The file goes where fakesnow wants it; the driver puts its own copy into a folder that nobody looks into. */
async function upload(data: NonNullable<Answer['data']>, folder: string): Promise<void> {
  const { presignedUrl } = data.stageInfo!
  const [source] = data.src_locations!
  const answer = await fetch(presignedUrl!, { method: 'PUT', body: readFileSync(source!) })
  if (!answer.ok) throw new Error(`the upload was answered with ${answer.status}`)
  data.stageInfo = { locationType: 'LOCAL_FS', location: folder }
}

/** Arrow as the JSON that Snowflake would have sent. */
function rowsOf(base64: string, columns: readonly Column[]): (string | null)[][] {
  if (base64 === '') return []
  return tableFromIPC(Buffer.from(base64, 'base64'))
    .toArray()
    .map((row) => [...(row as Iterable<[string, unknown]>)].map(([, value], at) => cell(value, columns[at]!)))
}

function cell(value: unknown, { type, scale }: Column): string | null {
  if (value === null || value === undefined) return null
  switch (type) {
    case 'fixed':
      return decimalText(value, scale ?? 0)
    case 'boolean':
      return value === true ? '1' : '0'
    case 'timestamp_tz':
    case 'timestamp_ltz':
    case 'timestamp_ntz': {
      const { epoch, fraction = 0, timezone } = value as { epoch: bigint | null; fraction?: number; timezone?: number }
      if (epoch === null) return null
      const seconds = typeof value === 'object' ? `${epoch}.${String(fraction).padStart(9, '0')}` : String(value)
      return type === 'timestamp_tz' ? `${seconds} ${timezone ?? 1440}` : seconds
    }
    case 'time':
      return `${BigInt(String(value)) / 1_000_000_000n}.${String(BigInt(String(value)) % 1_000_000_000n).padStart(9, '0')}`
    case 'binary':
      return Buffer.from(value as Uint8Array).toString('hex')
    default:
      return String(value)
  }
}

/** Whole numbers with a scale, and Arrow's decimals as four words. */
function decimalText(value: unknown, scale: number): string {
  const whole = value instanceof Uint32Array ? wordsToBigint(value) : BigInt(String(value))
  if (scale === 0) return String(whole)
  const digits = String(whole < 0n ? -whole : whole).padStart(scale + 1, '0')
  return `${whole < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function wordsToBigint(words: Uint32Array): bigint {
  const unsigned = [...words].reduceRight((sum, word) => (sum << 32n) + BigInt(word), 0n)
  return unsigned >= 1n << 127n ? unsigned - (1n << 128n) : unsigned
}
