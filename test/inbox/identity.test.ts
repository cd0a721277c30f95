import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { run as serve } from '../../src/cli/commands/serve.ts'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { pipeline, type Resource, type Source } from '../../src/index.ts'
import { inbox, inboxSource, serveInbox } from '../../src/inbox/index.ts'
import { InboxWriter } from '../../src/inbox/inbox-store.ts'
import { effort } from '../support/effort.ts'
import { randomFrom } from '../support/seed.ts'

// What was acknowledged is loaded, whichever inbox, backup or machine the destination remembers.

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-inbox-identity-'))
  onMachine('first')
})

function onMachine(name: string): void {
  process.env.SLUICE_DATA_DIR = join(folder, name)
}
const placeOf = (name: string): string => join(process.env.SLUICE_DATA_DIR!, 'inbox', name)

const loading = () =>
  pipeline({ name: 'hooks', dataset: 'hooks', destination: duckdb({ path: join(folder, 'hooks.duckdb') }) })
const load = async (data: Source | Resource): Promise<number> => (await loading().run(data)).rows.webhook_payload ?? 0

async function receive(name: string, ids: readonly number[]): Promise<void> {
  const writer = new InboxWriter(name)
  await Promise.all(ids.map((id) => writer.add(JSON.stringify({ id }), new Date())))
  await writer.close()
}
const loadedIds = async (): Promise<number[]> =>
  (await loading().dataset().table('webhook_payload').select('id').orderBy('id').toArray()).map(({ id }) => Number(id))

it('every payload on disk is loaded, whatever happened to folders, ids and other inboxes', async () => {
  const random = randomFrom()
  const oneOf = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const names = ['a-b', 'a_b', 'x']
  const machines = ['first', 'second']
  /** Payloads on disk, by the folder that has them. */
  const onDisk = new Map<string, number[]>()
  const loaded = new Set<number>()
  let next = 0
  const copy = (from: string, to: string): void => {
    rmSync(to, { recursive: true, force: true })
    onDisk.set(to, [...(onDisk.get(from) ?? [])])
    if (existsSync(from)) cpSync(from, to, { recursive: true })
  }
  const runs: Record<string, (name: string) => Promise<number>> = {
    source: (name) => load(inboxSource(name)),
    resource: (name) => load(inbox(name)),
  }
  const steps: Record<string, (name: string) => void | Promise<void>> = {
    'folder lost': (name) => copy(join(folder, 'nothing'), placeOf(name)),
    'backed up': (name) => copy(placeOf(name), join(folder, 'backup', name)),
    restored: (name) => copy(join(folder, 'backup', name), placeOf(name)),
    'copied from another machine': (name) => {
      const [from, to] = [join(folder, oneOf(machines), 'inbox', name), placeOf(name)]
      if (from !== to) copy(from, to)
    },
    'id lost': (name) => rmSync(join(placeOf(name), 'inbox.json'), { force: true }),
    'id damaged': (name) => {
      if (existsSync(placeOf(name)))
        writeFileSync(join(placeOf(name), 'inbox.json'), oneOf(['', '{"id":"', 'null', '{}']))
    },
  }
  const done: string[] = []
  for (let at = 0; at < effort(5, 50); at++) {
    const [name, machine, what, how] = [
      oneOf(names),
      oneOf(machines),
      oneOf(Object.keys(steps)),
      oneOf(Object.keys(runs)),
    ]
    onMachine(machine)
    if (random() < 0.6) await steps[what]!(name)
    const ids = Array.from({ length: 1 + Math.floor(random() * 4) }, () => next++)
    if (random() < 0.8) {
      await receive(name, ids)
      onDisk.set(placeOf(name), [...(onDisk.get(placeOf(name)) ?? []), ...ids])
    }
    done.push(`${machine} ${what} ${name} ${how}`)
    if (random() < 0.3) continue
    await runs[how]!(name)
    for (const id of onDisk.get(placeOf(name)) ?? []) loaded.add(id)
    if (loaded.size > 0) expect(await loadedIds(), done.join('\n')).toEqual([...loaded].sort((a, b) => a - b))
    expect(await runs[how]!(name), `again: ${done.join('\n')}`).toBe(0)
  }
})

it('a folder that was lost, or restored from a backup, loads what it receives from then on', async () => {
  await receive('shop', [1, 2])
  cpSync(placeOf('shop'), join(folder, 'backup'), { recursive: true })
  await receive('shop', [3, 4])
  expect(await load(inboxSource('shop'))).toBe(4)
  rmSync(placeOf('shop'), { recursive: true })
  cpSync(join(folder, 'backup'), placeOf('shop'), { recursive: true })
  await receive('shop', [5, 6, 7])
  await load(inboxSource('shop'))
  rmSync(placeOf('shop'), { recursive: true })
  await receive('shop', [8, 9])
  expect(await load(inboxSource('shop'))).toBe(2)
  expect(await loadedIds()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
})

describe('inboxes that had one mark have one each', () => {
  it('two resources of one pipeline', async () => {
    await receive('x1', [1, 2, 3])
    await receive('x2', [4, 5])
    expect(await load(inbox('x1'))).toBe(3)
    expect(await load(inbox('x2'))).toBe(2)
    expect(await load(inbox('x1'))).toBe(0)
    expect(await load(inbox('x2'))).toBe(0)
    const both = loading().run([inbox('x1'), inbox('x2')])
    await expect(both).rejects.toMatchObject({
      code: 'SOURCE_INVALID',
      message: expect.stringContaining('inboxSource'),
    })
    await loading().run([inboxSource('x1'), inboxSource('x2')])
    expect(await loadedIds()).toEqual([1, 2, 3, 4, 5])
  })

  it('names of one source; a server refuses to receive both', async () => {
    await receive('a-b', [1, 2, 3])
    await receive('a_b', [4, 5])
    expect(await load(inboxSource('a-b'))).toBe(3)
    expect(await load(inboxSource('a_b'))).toBe(2)
    const hooks = ['a-b', 'x', 'a_b'].map((name) => ({ name, secret: '0123456789abcdef' }))
    await expect(serveInbox({ hooks, port: 0 })).rejects.toThrow('inboxes "a-b" and "a_b" are one source: "a_b_inbox"')
  })

  it('no address is added for a second name of one source', async () => {
    process.env.INBOX__A_B__PATH = '0123456789abcdef'
    onTestFinished(() => void delete process.env.INBOX__A_B__PATH)
    await expect(serve(['add', 'a-b'])).rejects.toMatchObject({
      code: 'WRONG_USE',
      message: expect.stringContaining('"a_b_inbox"'),
    })
  })
})
