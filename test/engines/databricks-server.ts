import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { generate } from 'selfsigned'
import type { KnownGaps } from '../../src/testing/index.ts'
import { freePort, listening, stopProcess } from '../support/bucket-servers.ts'
import { installSpark } from './install.ts'
import { readMessage, writeMessage } from './thrift-message.ts'

const types = createRequire(import.meta.url)('@databricks/sql/thrift/TCLIService_types.js')

/** What Databricks cannot. */
export const databricksGaps: KnownGaps = {
  'a load that fails half-way leaves nothing': {
    blame: 'upstream',
    reason: 'a change of a table cannot be taken back in Databricks: the new column of a load that failed stays, empty',
  },
}

export interface DatabricksServer {
  options: { serverHostname: string; httpPath: string; accessToken: string; tls: { ca: string } }
  /** Statements as they came. */
  statements: string[]
  stop(): Promise<void>
}

const httpPath = '/sql/1.0/warehouses/test'

/**
 * Spark with Delta Lake behind its Thrift server, and before it what makes it look like a SQL warehouse: TLS, the fields that
 * Databricks' protocol has and Spark's has not, volumes, and COPY INTO.
 */
export async function startDatabricks(): Promise<DatabricksServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-spark-'))
  const { port, stop } = await startSpark(folder)
  const { private: key, cert } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
  const statements: string[] = []
  const server = createServer({ key, cert }, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    if (request.url!.startsWith('/Volumes/')) return volume(folder, request, response, body)
    const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { method, sent } = toSpark(body, statements, { folder, address })
    const answer = await send(port, sent)
    const content = fromSpark(method, answer.content)
    response.writeHead(answer.status, { 'content-type': 'application/x-thrift', 'content-length': content.length })
    response.end(content)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: publicPort } = server.address() as AddressInfo
  return {
    options: {
      serverHostname: `127.0.0.1:${publicPort}`,
      httpPath,
      accessToken: 'a-token-of-the-test',
      tls: { ca: cert },
    },
    statements,
    async stop() {
      server.close()
      server.closeAllConnections()
      await stop()
    },
  }
}

async function startSpark(folder: string): Promise<{ port: number; stop(): Promise<void> }> {
  const { home, jars } = installSpark()
  const port = await freePort()
  const settings: Record<string, string> = {
    'spark.sql.extensions': 'io.delta.sql.DeltaSparkSessionExtension',
    'spark.sql.catalog.spark_catalog': 'org.apache.spark.sql.delta.catalog.DeltaCatalog',
    'spark.sql.warehouse.dir': join(folder, 'warehouse'),
    'spark.hadoop.javax.jdo.option.ConnectionURL': 'jdbc:derby:memory:sluice;create=true',
    'spark.hadoop.hive.server2.transport.mode': 'http',
    'spark.hadoop.hive.server2.thrift.http.port': String(port),
    'spark.hadoop.hive.server2.thrift.http.path': httpPath.slice(1),
    'spark.hadoop.hive.server2.thrift.bind.host': '127.0.0.1',
    // Small data, two cores.
    'spark.ui.enabled': 'false',
    'spark.sql.shuffle.partitions': '1',
    'spark.default.parallelism': '1',
    'spark.databricks.delta.snapshotPartitions': '1',
    'spark.sql.adaptive.enabled': 'false',
    'spark.sql.codegen.wholeStage': 'false',
    'spark.sql.codegen.factoryMode': 'NO_CODEGEN',
    'spark.databricks.delta.stats.collect': 'false',
    'spark.databricks.delta.merge.materializeSource': 'none',
    'spark.databricks.delta.history.metricsEnabled': 'false',
    'spark.locality.wait': '0',
    'spark.log.level': 'ERROR',
    'spark.driver.extraJavaOptions': '-XX:+UseParallelGC -Dderby.system.durability=test',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['--conf', `${name}=${value}`])
  const process_ = spawn(
    join(home, 'bin', 'spark-submit'),
    [
      '--master',
      'local[2]',
      '--driver-memory',
      '3g',
      '--jars',
      jars.join(','),
      ...args,
      '--class',
      'org.apache.spark.sql.hive.thriftserver.HiveThriftServer2',
      'spark-internal',
    ],
    { stdio: 'ignore', cwd: folder, env: { ...process.env, SPARK_HOME: home, SPARK_LOCAL_IP: '127.0.0.1' } },
  )
  await listening(port, process_, 400)
  return {
    port,
    async stop() {
      await stopProcess(process_)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Files of a volume, as behind the addresses that Databricks signs. */
function volume(folder: string, request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const file = join(folder, decodeURIComponent(request.url!))
  if (request.method === 'PUT') {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, body)
  } else {
    rmSync(file, { force: true })
  }
  response.writeHead(200)
  response.end()
}

function send(port: number, body: Buffer): Promise<{ status: number; content: Buffer }> {
  return new Promise((resolve, reject) => {
    // Spark wants to know a user; it asks for no password.
    const headers = {
      authorization: `Basic ${Buffer.from('sluice:x').toString('base64')}`,
      'content-type': 'application/x-thrift',
      'content-length': body.length,
    }
    const onward = httpRequest({ host: '127.0.0.1', port, method: 'POST', path: httpPath, headers }, async (answer) => {
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk as Buffer)
      resolve({ status: answer.statusCode!, content: Buffer.concat(chunks) })
    })
    onward.on('error', reject)
    onward.end(body)
  })
}

interface Place {
  folder: string
  address: string
}

function toSpark(body: Buffer, statements: string[], place: Place): { method: string; sent: Buffer } {
  const message = readMessage(body)
  const { method } = message
  if (method === 'OpenSession') {
    const value = message.read(types.TOpenSessionReq)
    value.client_protocol = 9
    return { method, sent: writeMessage({ ...message, value }) }
  }
  if (method === 'ExecuteStatement') {
    const value = message.read(types.TExecuteStatementReq)
    statements.push(value.statement)
    value.statement = asSpark(value.statement, place)
    return { method, sent: writeMessage({ ...message, value }) }
  }
  return { method, sent: body }
}

const text = `'((?:[^'\\\\]|\\\\.)*)'`

/** What Spark does not know, in its words. Databricks answers PUT and REMOVE with an address for the driver to go to. */
function asSpark(sql: string, { folder, address }: Place): string {
  const put = new RegExp(`^PUT ${text} INTO ${text} OVERWRITE$`).exec(sql)
  if (put !== null) {
    return `SELECT 'PUT' AS operation, '${address}${put[2]}' AS presignedUrl, map('x-ms-blob-type', 'BlockBlob') AS headers, '${put[1]}' AS localFile`
  }
  const remove = new RegExp(`^REMOVE ${text}$`).exec(sql)
  if (remove !== null) {
    return `SELECT 'REMOVE' AS operation, '${address}${remove[1]}' AS presignedUrl, map('x-ms-blob-type', 'BlockBlob') AS headers`
  }
  const copy = new RegExp(
    `^COPY INTO (\\S+) FROM ${text} FILEFORMAT = PARQUET COPY_OPTIONS \\('force' = 'true'\\)$`,
  ).exec(sql)
  if (copy !== null) {
    const path = copy[2]!.startsWith('/Volumes/') ? join(folder, decodeURIComponent(copy[2]!)) : copy[2]!
    return `INSERT INTO ${copy[1]} SELECT * FROM parquet.\`${path}\``
  }
  return /^CREATE VOLUME IF NOT EXISTS `\w+`\.`\w+`\.`\w+`$/.test(sql) ? 'SELECT 1' : sql
}

/** What Databricks says about an answer, and Spark does not. */
function fromSpark(method: string, content: Buffer): Buffer {
  if (method !== 'GetResultSetMetadata') return content
  const message = readMessage(content)
  const value = message.read(types.TGetResultSetMetadataResp)
  value.resultFormat = types.TSparkRowSetType.COLUMN_BASED_SET
  const columns: { columnName: string; position: number }[] = value.schema?.columns ?? []
  value.isStagingOperation = columns[0]?.columnName === 'operation' && columns[1]?.columnName === 'presignedUrl'
  // Spark counts from nought.
  if (columns.some(({ position }) => position === 0)) for (const column of columns) column.position += 1
  return writeMessage({ ...message, value })
}
