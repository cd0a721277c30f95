import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { filesystem } from '../../src/destinations/filesystem/filesystem.ts'
import { pipeline } from '../../src/index.ts'
import { inboxSource } from '../../src/inbox/index.ts'
import { InboxWriter } from '../../src/inbox/inbox-store.ts'

/**
 * Inboxes without ids, and a destination with one mark a source, written by the code of 2026-11-28: `shop` has loaded 1 to 3
 * and received 4; `a-b` has loaded 11 to 13, and 14 and 15 of `a_b` were passed over by the mark of `a-b`.
 */
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-upgrade-inbox-'))
  cpSync(join(import.meta.dirname, 'inbox'), folder, { recursive: true })
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
})

const loading = () =>
  pipeline({ name: 'hooks', dataset: 'hooks', destination: filesystem({ bucketUrl: join(folder, 'lake') }) })
const load = async (name: string): Promise<number> => (await loading().run(inboxSource(name))).rows.webhook_payload ?? 0
const marks = async (name: string) => (await loading().state())?.sources[name]?.resources?.webhook_payload
const ids = async (): Promise<number[]> =>
  (await loading().dataset().table('webhook_payload').orderBy('id').toArray()).map(({ id }) => Number(id))

async function receive(...payloads: readonly number[]): Promise<void> {
  const writer = new InboxWriter('shop')
  for (const id of payloads) await writer.add(JSON.stringify({ id }), new Date())
  await writer.close()
}

it('an inbox goes on where it was, and its mark is its own from then on', async () => {
  expect(await load('shop')).toBe(1)
  expect(await load('shop')).toBe(0)
  expect(await marks('shop_inbox')).not.toHaveProperty('loaded')
  await receive(5)
  expect(await load('shop')).toBe(1)
  expect(await ids()).toEqual([1, 2, 3, 4, 5, 11, 12, 13])
})

it('a mark is taken over once, also where nothing is new', async () => {
  rmSync(join(folder, 'data', 'inbox', 'shop', '0000000000000004.jsonl'))
  expect(await load('shop')).toBe(0)
  expect(await marks('shop_inbox')).not.toHaveProperty('loaded')
  // Another machine, with as many payloads of that version.
  rmSync(join(folder, 'data', 'inbox', 'shop', 'inbox.json'))
  expect(await load('shop')).toBe(3)
  expect(await ids()).toEqual([1, 2, 3, 11, 12, 13])
})

it('an inbox that has started again since then is loaded from its start', async () => {
  rmSync(join(folder, 'data', 'inbox', 'shop'), { recursive: true })
  await receive(21, 22, 23, 24)
  expect(await load('shop')).toBe(4)
  expect(await ids()).toEqual([1, 2, 3, 11, 12, 13, 21, 22, 23, 24])
})

it('what the mark of another inbox has passed over is loaded', { tags: ['slow'] }, async () => {
  for (const name of ['a-b', 'a_b']) await load(name)
  expect(await ids()).toEqual([1, 2, 3, 11, 12, 13, 14, 15])
})
