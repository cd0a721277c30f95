import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgres, type PostgresOptions } from '../../src/destinations/postgres/postgres.ts'
import { pipeline } from '../../src/index.ts'
import { destinationNames } from '../support/destinations.ts'
import { startPostgres, type PostgresServer } from '../support/postgres-server.ts'
import { running } from '../support/running.ts'

/** A server with a certificate for `db.example`, signed by nobody that Node knows. */
describe.runIf(destinationNames.includes('postgres'))('PostgreSQL over TLS', () => {
  let server: PostgresServer
  let certificate: string
  let certificatePath: string
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tls-'))

  beforeAll(async () => {
    const made = await generate([{ name: 'commonName', value: 'db.example' }], {
      extensions: [
        { name: 'basicConstraints', cA: true },
        { name: 'subjectAltName', altNames: [{ type: 2, value: 'db.example' }] },
      ],
    })
    certificate = made.cert
    certificatePath = join(folder, 'server.crt')
    writeFileSync(certificatePath, made.cert)
    server = await startPostgres({
      prepare: (data, owner) => {
        const key = join(data, 'server.key')
        writeFileSync(join(data, 'server.crt'), made.cert, { mode: 0o644 })
        writeFileSync(key, made.private, { mode: 0o600 })
        owner(key)
        chmodSync(key, 0o600)
      },
      flags: ['-c', 'ssl=on'],
    })
  })
  afterAll(() => server.stop())

  async function encrypted(options: PostgresOptions, query = ''): Promise<boolean> {
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-tls-data-'))
    const target = pipeline({
      name: 'tls',
      dataset: 'tls',
      destination: postgres({ url: server.url + query, ...options }),
    })
    await target.run([{ id: 1 }], { tableName: 't' })
    const [row] = await target.dataset().query('select ssl from pg_stat_ssl where pid = pg_backend_pid()').toArray()
    return row!.ssl as boolean
  }
  const refused = (options: PostgresOptions, query = ''): Promise<unknown> =>
    encrypted(options, query).then(
      () => undefined,
      (error: unknown) => error,
    )

  it.each([
    ['', true],
    ['?sslmode=disable', false],
    ['?sslmode=prefer', true],
    ['?sslmode=require', true],
  ])('%s', async (query, expected) => {
    expect(await encrypted({}, query)).toBe(expected)
  })

  it('verify-ca wants to know the authority, and not the name', async () => {
    expect(await refused({}, '?sslmode=verify-ca')).toMatchObject({ fix: expect.stringContaining('sslrootcert') })
    expect(await encrypted({}, `?sslmode=verify-ca&sslrootcert=${encodeURIComponent(certificatePath)}`)).toBe(true)
    expect(await encrypted({ ssl: 'verify-ca', sslRootCert: certificatePath })).toBe(true)
  })

  it('verify-full wants to know the name as well', async () => {
    expect(await refused({ ssl: 'verify-full', sslRootCert: certificatePath })).toMatchObject({
      fix: expect.stringContaining('verify-ca'),
    })
    expect(await refused({ ssl: { ca: certificate } })).toMatchObject({ code: 'LOAD_FAILED' })
    expect(await encrypted({ ssl: { ca: certificate, rejectUnauthorized: false } })).toBe(true)
  })

  it.each([
    ['?sslmode=maybe', 'one of: disable'],
    ['?sslmode=verify-ca&sslrootcert=/nothere', 'correct the path in sslrootcert'],
  ])('%s is refused', async (query, fix) => {
    expect(await refused({}, query)).toMatchObject({ fix: expect.stringContaining(fix) })
  })

  it('a server without TLS is taken by prefer, and told by require', async () => {
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-tls-data-'))
    const url = await running('postgres')
    const load = (ssl: 'prefer' | 'require') =>
      pipeline({
        name: 'plain',
        dataset: `plain_${process.pid}`,
        destination: postgres({ url, ssl }),
      }).run([{ id: 1 }], { tableName: 't' })
    await load('prefer')
    await expect(load('require')).rejects.toMatchObject({ fix: expect.stringContaining('switch SSL on') })
  })
})
