import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Destination, DestinationSession } from '../destinations/index.ts'
import type { Table } from '../schema/index.ts'

/** One thing that a load needs. */
export interface CheckStep {
  name: 'settings' | 'driver and connection' | 'writing' | 'taking it back' | 'storage'
  /** What was found, in a few words. */
  found: string
  /** Why not, and what to do. */
  error: Error | undefined
}

const trial = '_sluice_doctor'
const trialTable: Table = {
  name: trial,
  seenData: true,
  columns: new Map([
    ['id', { name: 'id', dataType: 'bigint', nullable: true }],
    ['text', { name: 'text', dataType: 'text', nullable: true }],
  ]),
}

/** Ends a transaction on purpose. */
class TakeBack extends Error {}

/** Settings, driver, connection, the right to write, and storage beside the database; a table of a trial is taken back. */
export async function* checkDestination(
  pipeline: string,
  folder: string,
  make: () => Promise<Destination>,
): AsyncGenerator<CheckStep> {
  const ok = (name: CheckStep['name'], found: string): CheckStep => ({ name, found, error: undefined })
  const failed = (name: CheckStep['name'], error: unknown): CheckStep => ({ name, found: '', error: error as Error })

  let destination: Destination
  try {
    destination = await make()
    yield ok('settings', destination.name)
  } catch (error) {
    return yield failed('settings', error)
  }
  let session: DestinationSession
  try {
    session = await destination.open({ pipeline, dataset: trial })
    yield ok('driver and connection', session.location)
  } catch (error) {
    return yield failed('driver and connection', error)
  }
  try {
    if (session.check !== undefined) {
      try {
        yield ok('storage', await session.check())
      } catch (error) {
        return yield failed('storage', error)
      }
    }
    const written = await tryWriting(session, folder)
    if (written !== undefined) return yield failed('writing', written)
    yield ok('writing', 'a table was made and a row loaded, in a transaction')
    yield ok('taking it back', 'the transaction was rolled back')
  } finally {
    await session[Symbol.asyncDispose]()
  }
}

/** A table and a row of it, in a transaction that is taken back; the error, when there is one. */
async function tryWriting(session: DestinationSession, folder: string): Promise<unknown> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, 'doctor.csv')
  const content = '1,"well"\n'
  writeFileSync(path, content)
  const file = { path, columns: ['id', 'text'], rows: 1, bytes: content.length, longestLine: content.length }
  try {
    await session.transaction(async ({ catalog, loader, publisher, begin }) => {
      await catalog.dropTable(trial)
      await catalog.createTable(trialTable)
      if (begin === undefined) {
        await loader.append(trialTable, [file], '0')
      } else {
        const staging = await loader.stage(trialTable, [file], '0')
        await begin({ loadId: '0', tables: [trial] })
        await publisher.appendFrom({ table: trialTable, staging })
      }
      throw new TakeBack()
    })
    return undefined
  } catch (error) {
    if (!(error instanceof TakeBack)) return error
    // Where changes of tables commit, the table is there now.
    await session.transaction(({ catalog }) => catalog.dropTable(trial))
    return undefined
  } finally {
    rmSync(path, { force: true })
  }
}
