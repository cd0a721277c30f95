import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { stagingArea } from '../../src/destinations/staging/staging-area.ts'
import { localStore, openStore, type ObjectStore } from '../../src/destinations/stores/index.ts'
import { running } from '../support/running.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-staging-'))

function fileOf(table: string, content: string) {
  const localFile = join(mkdtempSync(join(folder, 'rows-')), 'rows.csv.gz')
  writeFileSync(localFile, content)
  return { loadId: '1.1', table, localFile }
}

async function staging(name: 's3' | 'azure'): Promise<ObjectStore> {
  const { bucketUrl, credentials } = await running(name)
  return openStore(`${bucketUrl}/staging`, credentials)
}

const places: [string, () => Promise<ObjectStore>][] = [
  ['a folder', async () => localStore(join(folder, 'area'))],
  ['S3', () => staging('s3')],
  ['Azure', () => staging('azure')],
]

it.each(places)('%s: a file is there while it is needed, and nothing of it afterwards', async (_name, open) => {
  const store = await open()
  const area = await stagingArea({ bucketUrl: store }, 'shop')
  const inStore = (url: string): string => url.slice(store.location.length + 1)
  // What a try that was killed has left, and what others need.
  const left = 'shop_staging/1.1/odd%2Fname'
  await store.upload(`${left}/rows.csv.gz`, fileOf('x', 'killed').localFile)
  await store.upload(`${left}/other.csv.gz`, fileOf('x', 'killed').localFile)
  await store.upload('shop_staging/1.1/events/rows.csv.gz', fileOf('x', 'others').localFile)
  const found = await area.through(fileOf('odd/name', 'whole'), async (url) => {
    expect(inStore(url)).toBe(`${left}/rows.csv.gz`)
    return (await store.read(inStore(url))).toString()
  })
  expect(found).toBe('whole')
  await expect(area.through(fileOf('odd/name', 'x'), () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await store.list('shop_staging')).toEqual(['shop_staging/1.1/events/rows.csv.gz'])
})
