import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { postgres, postgresPoolConfig } from '../../src/destinations/postgres/postgres.ts'
import { pipeline, PipelineError, type Pipeline } from '../../src/index.ts'
import { ownSchema } from '../../src/workers/own-tables.ts'
import { schema as queueSchema, WorkQueue } from '../../src/workers/work-queue.ts'
import { freshPipeline } from '../support/api.ts'
import { running } from '../support/running.ts'
import { freshDatabase } from '../workers/worker-processes.ts'

/** A database whose administrator created everything that the role of the returned URL may not create. */
async function administered(schemas: string[]) {
  const admin = await freshDatabase(await running('postgres'))
  const role = `loader_${randomBytes(4).toString('hex')}`
  const config = await postgresPoolConfig({ url: admin })
  const client = new pg.Client(config)
  await client.connect()
  await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'loader'`)
  onTestFinished(async () => {
    await client.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`)
    await client.end()
  })
  await client.query(`REVOKE CREATE ON DATABASE "${config.database}" FROM PUBLIC`)
  for (const name of schemas)
    await client.query(`CREATE SCHEMA ${name}; GRANT USAGE, CREATE ON SCHEMA ${name} TO ${role}`)
  const url = admin.replace(/\/\/.*@/, `//${role}:loader@`)
  return { url, run: (sql: string) => client.query(sql), role }
}

function into(url: string, dataset: string): Pipeline {
  // Sets the data folder of this test.
  freshPipeline()
  return pipeline({ name: 'rights', dataset, destination: postgres({ url }) })
}

describe('a PostgreSQL role that may not create schemas', () => {
  it('loads every disposition into a schema that exists', async () => {
    const { url } = await administered(['raw'])
    const target = into(url, 'raw')
    for (const writeDisposition of ['append', 'replace', 'merge'] as const) {
      const more = { tableName: `t_${writeDisposition}`, writeDisposition, primaryKey: 'id' }
      await target.run([{ id: 1, inner: [{ a: 1 }] }], more)
      await target.run([{ id: 2, inner: [{ a: 2 }], late: true }], more)
    }
    expect(await target.dataset().query('SELECT count(*)::int AS n FROM raw.t_merge').toArray()).toEqual([{ n: 2 }])
  })

  it('loads into tables that exist after it has lost the right to create any', async () => {
    const { url, run, role } = await administered(['raw'])
    const target = into(url, 'raw')
    await target.run([{ id: 1 }], { tableName: 't' })
    await run(`REVOKE CREATE ON SCHEMA raw FROM ${role}`)
    await target.run([{ id: 2 }], { tableName: 't' })
    expect(await target.dataset().query('SELECT id FROM raw.t ORDER BY 1').toArray()).toEqual([{ id: 1 }, { id: 2 }])
  })

  it('is refused with both grants that would help where the schema is missing', async () => {
    const { url } = await administered([])
    const error = await into(url, 'raw')
      .run([{ id: 1 }], { tableName: 't' })
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(PipelineError)
    expect((error as PipelineError).fix).toMatch(/CREATE ON SCHEMA .* CREATE ON DATABASE/)
  })

  it('opens a work queue in schemas that exist', async () => {
    const { url } = await administered([ownSchema, queueSchema])
    for (const _time of ['first', 'second']) await (await WorkQueue.open(url)).close()
  })
})
