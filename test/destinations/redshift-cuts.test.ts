/** @module-tag slow */
import { afterAll, beforeAll, it } from 'vitest'
import { redshift, redshiftParts } from '../../src/destinations/redshift/redshift.ts'
import { platformNames } from '../../src/sources/chats/registry.ts'
import { endsExactlyRight } from '../support/cut-connections.ts'
import { someOf } from '../support/effort.ts'
import { loadsLikeDuckdb } from '../support/platform-loads.ts'
import { startRedshift, type RedshiftServer } from '../support/redshift-server.ts'
import { running } from '../support/running.ts'

const { bucketUrl, credentials } = await running('s3')
let server: RedshiftServer
beforeAll(async () => {
  server = await startRedshift(await running('postgres'), credentials)
})
afterAll(() => server.stop())

it('redshift ends exactly right wherever the connection breaks', { timeout: 900_000 }, async () => {
  const staging = { bucketUrl: `${bucketUrl}/redshift-cuts`, credentials }
  await endsExactlyRight(() => redshiftParts({ url: server.url, staging }), { cuts: 5 })
})

it.each(someOf(platformNames, 1, 3))('%s into redshift, unchanged but for its destination', async (name) => {
  const staging = { bucketUrl: `${bucketUrl}/redshift-platforms`, credentials }
  await loadsLikeDuckdb(name, () => redshift({ url: server.url, staging }))
})
