import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, it } from 'vitest'
import { stagingArea } from '../../src/destinations/staging/staging-area.ts'
import { localStore, openStore, type ObjectStore } from '../../src/destinations/stores/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-staging-'))

function localFiles(content: string) {
  return ['events', 'events__items', 'odd/name'].map((table, at) => {
    const localFile = join(folder, `${content}-${at}.csv.gz`)
    writeFileSync(localFile, `${content} ${table}`)
    return { table, localFile }
  })
}

const places: [string, () => Promise<ObjectStore>][] = [
  ['a folder', async () => localStore(join(folder, 'area'))],
  ['S3', () => openStore(`${inject('s3').bucketUrl}/staging`, inject('s3').credentials)],
  ['Azure', () => openStore(`${inject('azure').bucketUrl}/staging`, inject('azure').credentials)],
]

it.each(places)('%s: a load is there as it was put last, and gone when removed', async (_name, open) => {
  const store = await open()
  const area = await stagingArea({ bucketUrl: store }, 'shop')
  await area.put('1.1', localFiles('killed'))
  const staged = await area.put('1.1', localFiles('whole'))
  await area.put('2.2', localFiles('other'))
  expect(staged.map(({ url }) => url)).toEqual([
    `${store.location}/shop_staging/1.1/events/0.csv.gz`,
    `${store.location}/shop_staging/1.1/events__items/1.csv.gz`,
    `${store.location}/shop_staging/1.1/odd%2Fname/2.csv.gz`,
  ])
  const contents = await Promise.all(
    staged.map(async ({ url }) => (await store.read(url.slice(store.location.length + 1))).toString()),
  )
  expect(contents).toEqual(['whole events', 'whole events__items', 'whole odd/name'])
  await area.remove('1.1')
  const left = await store.list('shop_staging')
  expect(left).toHaveLength(3)
  expect(left.every((path) => path.startsWith('shop_staging/2.2/'))).toBe(true)
})
