import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { destinationByName } from '../../src/destinations/index.ts'
import { connectionUrl } from '../../src/destinations/postgres/connection-url.ts'
import { parseUrl } from '../../src/destinations/postgres/connection.ts'
import { destinationNames, projectNeeds } from '../../src/destinations/registry.ts'
import { snowflakeFromUrl } from '../../src/destinations/snowflake/snowflake.ts'

const settings =
  (given: Record<string, string>) =>
  (key: string): string | undefined =>
    given[key]

describe.each(destinationNames)('%s in a new project', (name) => {
  it('is reached with what it says it needs, and with nothing less', async () => {
    const { needs } = await projectNeeds(name)
    const examples: Record<string, string> = {
      credentials: `${name}://user:password@host/database`,
      'staging.bucket_url': 's3://bucket/staging',
    }
    const given = Object.fromEntries(needs.map(({ key, initial }) => [key, initial ?? examples[key] ?? 'x']))
    expect((await destinationByName(name, settings(given))).name).toBe(name)
    const [first] = needs
    if (first === undefined) return
    const less = settings(Object.fromEntries(Object.entries(given).filter(([key]) => key !== first.key)))
    await expect(destinationByName(name, less)).rejects.toMatchObject({ code: 'CONFIG_MISSING' })
  })

  it('asks for drivers in versions that are known to work', async () => {
    const { drivers } = await projectNeeds(name)
    const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { peerDependencies: object }
    expect(Object.keys(peerDependencies)).toEqual(expect.arrayContaining([...drivers]))
  })
})

describe("credentials in parts, as dlt's files have them", () => {
  const parts = {
    'credentials.drivername': 'postgresql',
    'credentials.host': 'db.example.com',
    'credentials.port': '5433',
    'credentials.database': 'my data',
    'credentials.username': 'loader@x',
    'credentials.password': 'p/a:s@s?#%',
  }

  it('say the same as a connection string', () => {
    const url = connectionUrl('postgres', settings({ ...parts, 'credentials.query.sslmode': 'require' }))
    expect(parseUrl(url)).toEqual({
      host: 'db.example.com',
      port: 5433,
      database: 'my data',
      user: 'loader@x',
      password: 'p/a:s@s?#%',
      ssl: 'require',
    })
    expect(parseUrl(connectionUrl('postgres', settings({ ...parts, 'credentials.host': '::1' }))).host).toBe('::1')
    expect(connectionUrl('postgres', settings({ ...parts, credentials: 'postgres://one/two' }))).toBe(
      'postgres://one/two',
    )
  })

  it.each(['postgres', 'redshift'])('%s takes them, and names the one that is missing', async (name) => {
    const staging = { 'staging.bucket_url': 's3://b/x' }
    expect((await destinationByName(name, settings({ ...parts, ...staging }))).name).toBe(name)
    const { 'credentials.database': _database, ...less } = parts
    await expect(destinationByName(name, settings(less))).rejects.toMatchObject({
      code: 'CONFIG_MISSING',
      fix: expect.stringContaining(`DESTINATION__${name.toUpperCase()}__CREDENTIALS__DATABASE`),
    })
  })
})

describe('a warehouse by its name', () => {
  it.each([
    [
      'redshift',
      { credentials: 'redshift://u:p@host:5439/db', 'staging.bucket_url': 's3://b/x', max_identifier_length: '40' },
    ],
    ['snowflake', { credentials: 'snowflake://u:p@acc/db?warehouse=w', max_identifier_length: '40' }],
    [
      'snowflake',
      {
        'credentials.host': 'acc',
        'credentials.username': 'u',
        'credentials.database': 'db',
        max_identifier_length: '40',
      },
    ],
    ['bigquery', { 'credentials.project_id': 'p', max_identifier_length: '40' }],
    [
      'bigquery',
      {
        credentials: '{"type":"service_account","project_id":"p","client_email":"a@b","private_key":"hunter2"}',
        'staging.bucket_url': 'gs://b/x',
        max_identifier_length: '40',
      },
    ],
    [
      'databricks',
      {
        'credentials.server_hostname': 'dbc.cloud.databricks.com',
        'credentials.http_path': '/sql/1.0/warehouses/x',
        'credentials.client_id': 'i',
        'credentials.client_secret': 's',
        max_identifier_length: '40',
      },
    ],
  ])('%s from %o', async (name, given) => {
    const destination = await destinationByName(name, settings(given as unknown as Record<string, string>))
    expect(destination.name).toBe(name)
    expect(destination.capabilities.identifiers.maxLength).toBe(40)
  })

  it.each([
    ['redshift', {}, /needs to know its connection string/],
    [
      'redshift',
      { credentials: 'redshift://u:p@host/db' },
      /the bucket through which rows go\n.*DESTINATION__REDSHIFT__STAGING__BUCKET_URL/,
    ],
    ['snowflake', { 'credentials.host': 'acc' }, /needs to know its account, user and database/],
    ['snowflake', { credentials: 'postgres://u:hunter2@x/y' }, /the Snowflake URL cannot be read/],
    [
      'bigquery',
      {},
      /needs to know its project\n.*DESTINATION__BIGQUERY__CREDENTIALS__PROJECT_ID, or run: sluice secrets set destination\.bigquery\.credentials\.project_id/,
    ],
    ['bigquery', { credentials: '{"private_key": "hunter2' }, /the credentials of BigQuery cannot be read/],
    ['databricks', { 'credentials.http_path': '/x' }, /needs to know its server_hostname and http_path/],
    [
      'databricks',
      { 'credentials.server_hostname': 'h', 'credentials.http_path': '/x', 'credentials.client_id': 'i' },
      /an access token, or client id and secret/,
    ],
  ])('%s without what it needs: %o', async (name, given, message) => {
    const failed = destinationByName(name, settings(given as Record<string, string>))
    await expect(failed).rejects.toThrow(message)
    await expect(failed).rejects.not.toThrow(/hunter2/)
  })

  it('special characters of a Snowflake URL are decoded', () => {
    expect(snowflakeFromUrl('snowflake://me%40x:p%2Fw%3A1@org-acc/DB%20one?warehouse=w%201&role=r')).toEqual({
      account: 'org-acc',
      user: 'me@x',
      password: 'p/w:1',
      database: 'DB one',
      warehouse: 'w 1',
      role: 'r',
    })
  })
})
