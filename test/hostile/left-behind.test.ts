import { existsSync, mkdtempSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PipelineError } from '../../src/index.ts'
import { lockFolder, nameOf, ownIdentity, removeOrphans } from '../../src/locks/index.ts'
import { newLoadId, PackageStore } from '../../src/package/index.ts'
import { emptySchema, storedSchema } from '../../src/schema/index.ts'
import { freshPipeline } from '../support/api.ts'

// What processes leave behind that were killed, or whose machine was.

const emptyFolder = (): string => mkdtempSync(join(tmpdir(), 'sluice-left-'))
/** Above every process id that Linux gives. */
const nobody = 2 ** 22 + 1

describe('a lock', () => {
  const take = (folder: string): Disposable => lockFolder(folder, (pid) => new Error(`busy: ${pid}`))

  it('of a running process holds', () => {
    const folder = emptyFolder()
    using _lock = take(folder)
    expect(() => take(folder)).toThrow(`busy: ${process.pid}`)
  })

  it('of a process whose id another one has now is taken over', () => {
    const folder = emptyFolder()
    writeFileSync(join(folder, 'lock'), `${process.pid} ${Number(ownIdentity.started) - 1}`)
    using _lock = take(folder)
    expect(() => take(folder)).toThrow('busy')
  })

  it('of a process that has ended is taken over, and removed in the end', () => {
    const folder = emptyFolder()
    writeFileSync(join(folder, 'lock'), `${nobody} 1`)
    take(folder)[Symbol.dispose]()
    expect(existsSync(join(folder, 'lock'))).toBe(false)
  })
})

it('drafts of a running process stay, those of others are removed', () => {
  const folder = emptyFolder()
  const { pid, started } = ownIdentity
  const kept = ['a.txt', `a.${pid}`, `a.${nameOf(ownIdentity)}`]
  const others = [`a.${nobody}`, `a.${nobody}-1-x`, `a.${pid}-${Number(started) - 1}-x`, `a.${pid}-${started}-x`]
  for (const name of [...kept, ...others]) writeFileSync(join(folder, name), '')
  removeOrphans(folder, (name) => new RegExp(`^a\\.${name}$`))
  expect(readdirSync(folder).sort()).toEqual(kept.sort())
})

describe('a package', () => {
  it('whose file was cut is set aside by name, and the run goes on', async () => {
    const target = freshPipeline()
    await target.run([{ id: 1 }], { tableName: 't' })
    const rows = [{ id: 2 }, { id: 3 }]
    const failing = target.run(rows, { tableName: 't', checks: [{ type: 'sql', name: 'broken', query: 'nonsense' }] })
    await expect(failing).rejects.toMatchObject({ code: 'LOAD_FAILED' })
    const sealed = join(target.dataDir, 'packages', 'sealed')
    const [loadId] = readdirSync(sealed)
    truncateSync(join(sealed, loadId!, '1.csv'), 4)
    const { refusedPackages } = await target.run([{ id: 4 }], { tableName: 't' })
    expect(refusedPackages).toMatchObject([{ loadId, refusals: [{ code: 'PACKAGE_DAMAGED' }] }])
    expect((await target.dataset().table('t').orderBy('id').toArray()).map(({ id }) => id)).toEqual([1, 4])
  })

  it('that is loaded leaves its manifest, until a hundred others have', () => {
    const store = new PackageStore(emptyFolder())
    using _building = store.reset()
    const older = Array.from({ length: 102 }, newLoadId)
    for (const loadId of older)
      writeFileSync(join(store.folder, 'loaded', `${loadId}.json`), JSON.stringify({ loadId }))
    const nothing = { files: [], replaced: [], dropped: [], truncated: [], checks: {}, state: undefined }
    const [loadId, createdAt, schema] = [newLoadId(), new Date().toISOString(), storedSchema(emptySchema('s'))]
    store.finish(store.seal({ loadId, pipeline: 'p', dataset: 'd', createdAt, schema, ...nothing }))
    expect(store.loaded().map((manifest) => manifest.loadId)).toEqual([...older.slice(3), loadId])
  })
})

it('errors of a driver are its own; only one that is not installed is said to be missing', async () => {
  const { withDriver } = await import('../../src/errors/index.ts')
  const broken = withDriver('a store', ['some-driver'], () => Promise.reject(new Error('wrong architecture')))
  await expect(broken).rejects.toThrow(/^wrong architecture$/)
  // Named by a variable: the compiler would look for the package.
  const name = 'no-such-driver'
  const absent = withDriver('a store', [name], () => import(name))
  await expect(absent).rejects.toBeInstanceOf(PipelineError)
  await expect(absent).rejects.toMatchObject({ code: 'DRIVER_MISSING', fix: `npm install ${name}` })
})
