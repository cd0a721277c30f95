import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Journal } from '../../src/actions/journal.ts'
import { InboxWriter } from '../../src/inbox/inbox-store.ts'
import { ScheduleStore } from '../../src/jobs/schedule-store.ts'
import { keepToken } from '../../src/sources/rest/auth/kept-tokens.ts'
import { emptyTarget } from '../support/destinations.ts'
import { PowerCut } from '../support/power-cut.ts'

/** Working data of this test alone. */
function dataDir(): string {
  process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-power-'))
  return process.env.SLUICE_DATA_DIR
}

const items = [
  { id: 1, text: 'a', list: [1, 2] },
  { id: 2, text: 'b', list: [3] },
]

describe('a power cut takes nothing from', () => {
  it('a sealed package', async () => {
    const { target } = await emptyTarget('duckdb')
    const disk = PowerCut.watch()
    const lost: string[][] = []
    target.on((event) => {
      if (event.type === 'package-sealed') lost.push(disk.lostBelow(join(target.dataDir, 'packages', 'sealed')))
    })
    await target.run(items, { tableName: 't' })
    expect(lost).toEqual([[]])
  })

  it('a version of a dataset of files', async () => {
    const { target } = await emptyTarget('filesystem')
    const disk = PowerCut.watch()
    await target.run(items, { tableName: 't' })
    expect(disk.lostBelow(join(process.env.SLUICE_DATA_DIR!, '..', 'lake'))).toEqual([])
  })

  it('the state of a schedule', () => {
    const folder = dataDir()
    writeFileSync(join(folder, 'sluice.jobs.ts'), '')
    const disk = PowerCut.watch()
    const store = new ScheduleStore(join(folder, 'sluice.jobs.ts'))
    store.write(new Map())
    store.write(new Map())
    expect(disk.lostBelow(store.folder)).toEqual([])
  })

  it('the note that a row is being sent', () => {
    const folder = dataDir()
    const disk = PowerCut.watch()
    const journal = new Journal(folder)
    journal.run('run')
    journal.begin('row')
    expect(disk.lostBelow(folder)).toEqual([])
    journal.end('row', { status: 'sent' })
    expect(disk.lostBelow(folder)).toEqual([])
  })

  it('a webhook that was acknowledged', async () => {
    const folder = dataDir()
    const disk = PowerCut.watch()
    const writer = new InboxWriter('shop')
    await Promise.all([writer.add('{"id":1}', new Date()), writer.add('{"id":2}', new Date())])
    expect(disk.lostBelow(folder)).toEqual([])
    await writer.close()
  })

  it('a refresh token that is good once', () => {
    const folder = dataDir()
    const disk = PowerCut.watch()
    keepToken({ source: 'shop', given: 'first' }, 'second')
    expect(disk.lostBelow(folder)).toEqual([])
  })
})

it('a disk that takes less than it was given gets the rest', async () => {
  const { target } = await emptyTarget('duckdb')
  PowerCut.watch().mostBytes = 7
  await target.run(items, { tableName: 't' })
  expect(await target.dataset().table('t').select('id', 'text').orderBy('id').toArray()).toEqual([
    { id: 1, text: 'a' },
    { id: 2, text: 'b' },
  ])
})
