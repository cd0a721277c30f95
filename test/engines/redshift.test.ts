import { afterAll, beforeAll, it } from 'vitest'
import { redshift, redshiftParts } from '../../src/destinations/redshift/redshift.ts'
import { platformNames } from '../../src/sources/chats/registry.ts'
import { startS3, type BucketServer } from '../support/bucket-servers.ts'
import { endsExactlyRight } from '../support/cut-connections.ts'
import { loadsLikeDuckdb } from '../support/platform-loads.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { startRedshift, type RedshiftServer } from '../support/redshift-server.ts'

let database: Awaited<ReturnType<typeof startPostgres>>
let bucket: BucketServer
let server: RedshiftServer
beforeAll(async () => {
  database = await startPostgres()
  bucket = await startS3()
  server = await startRedshift(database.url, bucket.credentials)
})
afterAll(async () => {
  server.stop()
  await bucket.stop()
  await database.stop()
})

// The suite itself runs with `npm test`; this takes minutes.
it('redshift ends exactly right wherever the connection breaks', { timeout: 900_000 }, async () => {
  const staging = { bucketUrl: `${bucket.bucketUrl}/redshift`, credentials: bucket.credentials }
  await endsExactlyRight(() => redshiftParts({ url: server.url, staging }))
})

it.each(platformNames)('%s into redshift, unchanged but for its destination', async (name) => {
  const staging = { bucketUrl: `${bucket.bucketUrl}/platforms`, credentials: bucket.credentials }
  await loadsLikeDuckdb(name, () => redshift({ url: server.url, staging }))
})
