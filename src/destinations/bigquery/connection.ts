import { createHash } from 'node:crypto'
import { BigQuery, type Job } from '@google-cloud/bigquery'
import { addSecret, PipelineError } from '../../errors/index.ts'
import { system, typedColumns, type Table } from '../../schema/index.ts'
import type {
  BegunLoad,
  DestinationTarget,
  QueryResult,
  ReadLimits,
  RowObject,
  SqlConnection,
  SqlValue,
} from '../destination.ts'
import { rowNumber } from '../duckdb/compressed-rows.ts'
import { oneQuery } from '../read-only.ts'
import type { BigqueryOptions } from './bigquery.ts'
import { bigqueryDialect } from './dialect.ts'
import { asQuery, Script, type Query } from './script.ts'
import { rowsOf, typedColumn, type Field, type WireRow } from './values.ts'

const pageRows = 5000
/** What a transaction may change: https://cloud.google.com/bigquery/quotas#transactions */
const tablesInTransaction = 100

/** A connection that also loads files. */
export interface BigqueryConnection extends SqlConnection {
  /** Adds the rows of a Parquet file to a staging table, which has the columns of `table`. */
  loadFile(into: string, table: Table, source: Source): Promise<void>
}

/** Where a file is: here, or in a bucket. */
type Source = { file: string } | { url: string }

interface Answer {
  jobComplete: boolean
  schema?: { fields: Field[] }
  rows?: WireRow[]
  pageToken?: string
}

export function openBigquery(
  options: BigqueryOptions,
  { dataset, readOnly }: DestinationTarget,
): { connection: BigqueryConnection; location: string } {
  const jobs = new Jobs(clientOf(options), options.location ?? 'US')
  return { connection: connectionOf(jobs, dataset, readOnly), location: `bigquery://${options.projectId}/${dataset}` }
}

function clientOf({ projectId, credentials, keyFile, accessToken, apiEndpoint }: BigqueryOptions): BigQuery {
  const token = async (): Promise<string> => {
    const value = typeof accessToken === 'function' ? await accessToken() : accessToken!
    addSecret(value)
    return value
  }
  for (const secret of [credentials?.privateKey, credentials?.clientSecret, credentials?.refreshToken]) {
    if (secret !== undefined) addSecret(secret)
  }
  return new BigQuery({
    projectId,
    ...(keyFile === undefined ? {} : { keyFilename: keyFile }),
    ...(credentials === undefined ? {} : { credentials: asGoogle(credentials) }),
    ...(accessToken === undefined ? {} : { authClient: { getRequestHeaders: async () => bearer(await token()) } }),
    ...(apiEndpoint === undefined ? {} : { apiEndpoint, useAuthWithCustomEndpoint: true }),
  } as never)
}

const bearer = (token: string): Headers => new Headers({ authorization: `Bearer ${token}` })

function asGoogle(credentials: NonNullable<BigqueryOptions['credentials']>): Record<string, string | undefined> {
  const { clientEmail, privateKey, clientId, clientSecret, refreshToken } = credentials
  if (refreshToken !== undefined) {
    return { type: 'authorized_user', client_id: clientId, client_secret: clientSecret, refresh_token: refreshToken }
  }
  // Environment variables hold the key with its line breaks written out.
  return { type: 'service_account', client_email: clientEmail, private_key: privateKey?.replaceAll('\\n', '\n') }
}

/** Jobs of a project: everything that BigQuery does is one. */
class Jobs {
  readonly client: BigQuery
  private readonly location: string

  constructor(client: BigQuery, location: string) {
    this.client = client
    this.location = location
  }

  /** Begins a query; one with an id that was used before is refused by BigQuery. */
  async query({ query, params, types }: Query, more: { jobId?: string; jobTimeoutMs?: number } = {}): Promise<Job> {
    const [job] = await this.client.createQueryJob({
      query,
      location: this.location,
      ...(Object.keys(params).length === 0 ? {} : { params, types }),
      ...more,
    } as never)
    return job
  }

  async hasDataset(name: string): Promise<boolean> {
    const [exists] = await this.client.dataset(name).exists()
    return exists
  }

  job(id: string): Job {
    return this.client.job(id, { location: this.location })
  }

  /** Pages of what a job has found; waits until it is done, and fails as it failed. */
  async result(job: Job): Promise<QueryResult> {
    const first = await this.page(job, undefined)
    return { columns: (first.schema?.fields ?? []).map(typedColumn), pages: this.pages(job, first) }
  }

  private async *pages(job: Job, first: Answer): AsyncGenerator<RowObject[]> {
    for (let answer = first; ; answer = await this.page(job, answer.pageToken)) {
      if (answer.rows !== undefined) yield rowsOf(answer.schema?.fields ?? [], answer.rows)
      if (answer.pageToken === undefined) return
    }
  }

  private async page(job: Job, pageToken: string | undefined): Promise<Answer> {
    for (;;) {
      const answer = await this.get(`/queries/${job.id}`, {
        location: job.location ?? this.location,
        maxResults: pageRows,
        timeoutMs: 60_000,
        'formatOptions.useInt64Timestamp': true,
        ...(pageToken === undefined ? {} : { pageToken }),
      })
      if (answer.jobComplete) return answer
    }
  }

  private get(uri: string, qs: Record<string, unknown>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.client.request({ uri, qs } as never, (error: Error | null, answer?: unknown) =>
        error === null || error === undefined ? resolve(answer as Answer) : reject(error),
      )
    })
  }

  async rows(job: Job): Promise<RowObject[]> {
    const rows = []
    for await (const page of (await this.result(job)).pages) rows.push(...page)
    return rows
  }

  /** Waits for a load of a file; fails as it failed. */
  async load(dataset: string, into: string, table: Table, source: Source): Promise<void> {
    const { location } = this
    const settings = {
      sourceFormat: 'PARQUET',
      schema: { fields: fieldsOf(table) },
      writeDisposition: 'WRITE_APPEND',
      // Made before; one that was dropped meanwhile must not come back.
      createDisposition: 'CREATE_NEVER',
    }
    const [job] = await ('file' in source
      ? this.client
          .dataset(dataset)
          .table(into)
          .createLoadJob(source.file, { ...settings, location } as never)
      : this.client.createJob({
          location,
          configuration: {
            load: {
              ...settings,
              sourceUris: [source.url],
              destinationTable: { projectId: this.client.projectId, datasetId: dataset, tableId: into },
            },
          },
        } as never))
    await job.promise()
  }
}

function connectionOf(jobs: Jobs, dataset: string, readOnly: ReadLimits | undefined): BigqueryConnection {
  let script: Script | undefined
  let begun: BegunLoad | undefined
  const query = async (sql: string, values?: readonly SqlValue[]): Promise<RowObject[]> =>
    jobs.rows(await jobs.query(asQuery(sql, values)))

  /** The answer to a query in the middle of a transaction: all before it is done for it, and taken back. */
  async function rehearse(sql: string, values: readonly SqlValue[] = []): Promise<RowObject[]> {
    const [row] = await jobs.rows(await jobs.query(script!.rehearse(sql, values)))
    const answer = String(row?.answer ?? 'null')
    script!.expect(sql, values, answer, changedMeanwhile())
    return (JSON.parse(answer) ?? []) as RowObject[]
  }

  const hasLoad = async (loadId: string): Promise<boolean> => {
    const { quote } = bigqueryDialect
    const loads = `${quote(dataset)}.${quote(system.loads)}`
    return (await query(`SELECT 1 AS found FROM ${loads} WHERE load_id = $1 AND status = 0`, [loadId])).length > 0
  }

  /**
   * Sends the transaction under a name that is fixed by its load. When this process dies while BigQuery works, the next
   * one finds the job by that name and waits for it, instead of doing its work again.
   */
  async function commit(done: Script, { loadId }: BegunLoad): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const id = jobName(jobs.client.projectId, dataset, loadId, attempt)
      const job = await jobs.query(done.commit(), { jobId: id }).catch((error: { code?: unknown }) => {
        if (Number(error.code) === 409) return undefined
        throw error
      })
      if (job !== undefined) return void (await jobs.rows(job))
      // An earlier try: it may still be at work, have failed, or belong to a dataset that was dropped since.
      await jobs.rows(jobs.job(id)).catch(() => undefined)
      if (await hasLoad(loadId)) return
    }
  }

  async function end(sql: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    const [done, load] = [script!, begun!]
    script = undefined
    if (sql === 'ROLLBACK') return
    try {
      await commit(done, load)
    } catch (error) {
      throw done.refusalIn((error as Error).message) ?? error
    }
  }

  return {
    async run(sql, values) {
      if (script !== undefined && (sql === 'COMMIT' || sql === 'ROLLBACK')) return end(sql)
      if (script === undefined) await query(sql, values)
      else script.add(sql, values)
    },
    rows: (sql, values) => (script === undefined ? query(sql, values) : rehearse(sql, values)),
    async query(sql, values) {
      if (readOnly === undefined) return jobs.result(await jobs.query(asQuery(sql, values)))
      const { timeoutMs } = readOnly
      return jobs.result(await jobs.query(asQuery(oneQuery(sql), values), { jobTimeoutMs: timeoutMs }))
    },
    async begin(load) {
      if (load.tables.length > tablesInTransaction) throw tooManyTables(load.tables.length)
      begun = load
      script = new Script()
    },
    async refuseIf(sql, values, refusal) {
      script!.refuseIf(sql, values, refusal)
    },
    async tableNames(name) {
      const rows = await listed(() => query(`SELECT table_name FROM ${informationOf(name, 'TABLES')}`))
      // The list of a dataset that does not exist may come back empty.
      if (rows?.length === 0 && !(await jobs.hasDataset(name))) return undefined
      return rows?.map((row) => String(row.table_name))
    },
    async columns(name) {
      const columns = `SELECT table_name, column_name, data_type FROM ${informationOf(name, 'COLUMNS')}`
      return (await listed(() => query(`${columns} ORDER BY table_name, ordinal_position`))) ?? []
    },
    loadFile: (into, table, source) => jobs.load(dataset, into, table, source),
    close: async () => undefined,
  }
}

const informationOf = (dataset: string, view: string): string =>
  `${bigqueryDialect.quote(dataset)}.INFORMATION_SCHEMA.${view}`

/** What a dataset contains; `undefined` when it does not exist. */
async function listed(find: () => Promise<RowObject[]>): Promise<RowObject[] | undefined> {
  try {
    return await find()
  } catch (error) {
    if (/not ?found: dataset/i.test((error as Error).message)) return undefined
    throw error
  }
}

const jobName = (project: string, dataset: string, loadId: string, attempt: number): string => {
  const place = createHash('sha256').update(`${project}.${dataset}`).digest('hex').slice(0, 12)
  return `sluice_${place}_${loadId.replaceAll(/\W/g, '_')}_${attempt}`
}

/** The columns of a staging table, as a load wants them. */
const fieldsOf = (table: Table): Field[] => [
  ...typedColumns(table).map((column) => ({
    name: column.name,
    // A load knows the types without their digits.
    type: bigqueryDialect.stagedType!(column).replace(/\(.*/, ''),
  })),
  { name: rowNumber, type: 'INT64' },
]

const changedMeanwhile = (): PipelineError =>
  new PipelineError('the tables of this load were changed by another one while its checks ran', {
    code: 'LOAD_FAILED',
    recovery: 'retry',
    fix: 'run again: nothing of it was written',
  })

const tooManyTables = (count: number): PipelineError =>
  new PipelineError(`the load changes ${count} tables; a transaction of BigQuery takes ${tablesInTransaction}`, {
    code: 'LOAD_FAILED',
    fix: 'load fewer resources in one run, or set maxTableNesting on the source: fewer nested tables',
  })
