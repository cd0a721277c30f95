/** @module-tag engine */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import { openStore } from '../../src/destinations/stores/index.ts'
import { conformanceCases } from '../../src/testing/index.ts'
import { oneIn } from '../support/effort.ts'
import { running } from '../support/running.ts'

let used = 0

describe.each([
  ['moto', 0],
  ['gcs', 1],
] as const)('%s', (server, salt) => {
  it.each(oneIn(2, conformanceCases, salt).map((one) => [one.title, one] as const))('%s', async (_title, { run }) => {
    process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), `sluice-${server}-`))
    used += 1
    await run({ destination: filesystem(await running(server)), dataset: `d${used}` })
  })

  it('of twenty writers that create one object, one succeeds', async () => {
    const { bucketUrl, credentials } = await running(server)
    const store = await openStore(`${bucketUrl}/race`, credentials)
    const created = await Promise.all(Array.from({ length: 20 }, (_, at) => store.create('a/one', `writer ${at}`)))
    const winner = created.indexOf(true)
    expect(created.filter(Boolean)).toHaveLength(1)
    expect((await store.read('a/one')).toString()).toBe(`writer ${winner}`)
  })

  it('what stands in it is what was put there, large or small', async () => {
    const { bucketUrl, credentials } = await running(server)
    const store = await openStore(`${bucketUrl}/sizes`, credentials)
    const folder = mkdtempSync(join(tmpdir(), 'sluice-sizes-'))
    const large = Buffer.alloc(40 * 1024 * 1024, 'sluice!')
    writeFileSync(join(folder, 'large'), large)
    await store.upload('a/large.bin', join(folder, 'large'))
    await store.create('a/odd name +%ü.json', '{}')
    expect(await store.list('a')).toEqual(['a/large.bin', 'a/odd name +%ü.json'])
    expect(readFileSync(await store.fetch('a/large.bin', folder)).equals(large)).toBe(true)
    await store.remove('a/large.bin')
    await store.remove('a/large.bin')
    expect(await store.list('a')).toEqual(['a/odd name +%ü.json'])
  })

  it('a bucket that is not there is told, with what to do', async () => {
    const { bucketUrl, credentials } = await running(server)
    const store = await openStore(bucketUrl.replace('lake', 'nothere'), credentials)
    const error = await store.read('x').catch((reason: Error) => reason)
    expect(error).toMatchObject({ code: 'LOAD_FAILED', fix: expect.stringContaining('create the bucket') })
  })
})
