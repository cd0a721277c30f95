/** @module-tag engine */
import { spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgres } from '../../src/destinations/postgres/postgres.ts'
import { attach, pipeline } from '../../src/index.ts'
import { conformanceCases } from '../../src/testing/index.ts'
import { freePort, listening, stopProcess } from '../support/bucket-servers.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { installPgbouncer } from './install.ts'

/** PgBouncer in transaction mode with two connections: any statement outside a transaction may go to either. */
describe('postgres through PgBouncer', () => {
  let server: PostgresServer
  let pool: ChildProcess
  let url: string

  beforeAll(async () => {
    const { program, libraries } = installPgbouncer()
    server = await startPostgres()
    const folder = mkdtempSync(join(tmpdir(), 'sluice-pgbouncer-'))
    chmodSync(folder, 0o755)
    const port = await freePort()
    const password = decodeURIComponent(/:\/\/[^:]+:(.*)@[^@]+$/.exec(server.url)![1]!.replaceAll('%', '%25'))
    const configuration = [
      '[databases]',
      `postgres = host=127.0.0.1 port=${server.port} dbname=postgres user=sluice password='${password}'`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = plain',
      `auth_file = ${join(folder, 'users.txt')}`,
      'pool_mode = transaction',
      'default_pool_size = 2',
      'ignore_startup_parameters = extra_float_digits',
    ]
    writeFileSync(join(folder, 'users.txt'), `"sluice" "${password}"\n`)
    writeFileSync(join(folder, 'pgbouncer.ini'), configuration.join('\n'))
    // It refuses to run as root, too.
    const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
    pool = spawn(program, [...user, join(folder, 'pgbouncer.ini')], {
      stdio: 'ignore',
      env: { ...process.env, LD_LIBRARY_PATH: libraries },
    })
    await listening(port, pool)
    url = server.url.replace(`:${server.port}/`, `:${port}/`)
  }, 180_000)
  afterAll(async () => {
    await stopProcess(pool)
    await server.stop()
  })

  it.each(conformanceCases.map((one, at) => [one.title, one, at] as const))('%s', async (_title, { run }, at) => {
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-pgbouncer-data-'))
    await run({ destination: postgres({ url }), dataset: `c${at}` })
  })

  it('what a reader sets for itself is not there for the next who gets its connection', async () => {
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-pgbouncer-data-'))
    process.env.DESTINATION__POSTGRES__CREDENTIALS = url
    const target = pipeline({ name: 'reader', dataset: 'read_only', destination: postgres({ url }) })
    await target.run([{ id: 1 }], { tableName: 't' })
    const reader = attach('reader', { readOnly: { timeoutMs: 10_000 } })
    const settings = "select current_user as who, current_setting('statement_timeout') as timeout"
    expect(await reader.dataset().query(settings).toArray()).not.toContainEqual({ who: 'sluice', timeout: '0' })
    for (let time = 0; time < 10; time++) {
      expect(await target.dataset().query(settings).toArray()).toEqual([{ who: 'sluice', timeout: '0' }])
    }
  })

  it('eight pipelines at once share the two connections', async () => {
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-pgbouncer-data-'))
    const moment = '2026-03-01T12:00:00.000Z'
    const rows = Array.from({ length: 500 }, (_, id) => ({ id, at: moment, l: [id] }))
    const targets = Array.from({ length: 8 }, (_, at) =>
      pipeline({ name: `p${at}`, dataset: `shared_${at % 2}`, destination: postgres({ url }) }),
    )
    await Promise.all(targets.map((target, at) => target.run(rows, { tableName: `t${at}` })))
    for (const [at, target] of targets.entries()) {
      const [row] = await target
        .dataset()
        .query(`select count(*) as n, min(at) as at from shared_${at % 2}.t${at}`)
        .toArray()
      expect(Number(row!.n)).toBe(500)
      expect(new Date(String(row!.at)).toISOString()).toBe(moment)
    }
  })
})
