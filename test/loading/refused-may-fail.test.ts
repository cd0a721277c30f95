import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { LoadRefused, pipeline, resource, source, transformer, type LoadInfo } from '../../src/index.ts'
import { effort } from '../support/effort.ts'
import { fc } from '../support/seed.ts'

interface Plan {
  /** The destination refuses two rows of one key in an upsert. */
  trouble: 'none' | 'while it is read' | 'by the destination'
  where: 'root' | 'child'
  onError: 'fail' | 'continue'
}

const plan: fc.Arbitrary<Plan> = fc.record({
  trouble: fc.constantFrom('none', 'while it is read', 'by the destination'),
  where: fc.constantFrom('root', 'child'),
  onError: fc.constantFrom('fail', 'continue', 'continue'),
})

let used = 0
const upsert = { primaryKey: 'id', writeDisposition: { disposition: 'merge', strategy: 'upsert' } } as const

function shop() {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-may-fail-'))
  process.env.SLUICE_DATA_DIR = join(folder, 'data')
  const target = pipeline({
    name: `may_fail_${++used}`,
    dataset: 'shop',
    destination: duckdb({ path: join(folder, 'shop.duckdb') }),
  })
  const sourceOf = (plans: readonly Plan[], isWell: boolean) =>
    source(
      'shop',
      plans.flatMap(({ trouble, where, onError }, at) => {
        const rows = (place: Plan['where']) => {
          const isHere = !isWell && where === place
          if (isHere && trouble === 'while it is read') throw new Error('the API is away')
          return isHere && trouble === 'by the destination' ? [{ id: 1 }, { id: 1 }] : [{ id: 1 }]
        }
        // The source says it, not the resource that the child was made from.
        const root = resource(`r${at}`, () => rows('root'), upsert)
        const child = root.pipe(transformer(`c${at}`, () => rows('child'), upsert))
        return at % 2 === 0 ? [root.with({ onError }), child] : [child, root.with({ onError })]
      }),
    )
  const loaded = async (): Promise<string[]> =>
    [...(await target.dataset().tables()).keys()].filter((name) => /^[rc]\d$/.test(name)).sort()
  return { target, sourceOf, loaded }
}
const namesOf = (plans: readonly Plan[], isLoaded: (one: Plan, at: Plan['where']) => boolean): string[] =>
  plans
    .flatMap((one, at) => [...(isLoaded(one, 'child') ? [`c${at}`] : []), ...(isLoaded(one, 'root') ? [`r${at}`] : [])])
    .sort()

describe('a resource that may fail', () => {
  it('is left out alike when it fails while it is read and when the destination refuses it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(plan, { minLength: 1, maxLength: 4 }), async (plans) => {
        const { target, sourceOf, loaded } = shop()
        const outcome = await target.run(sourceOf(plans, false)).catch((error: unknown) => error)
        const fails = ({ trouble, onError }: Plan, what: Plan['trouble']) => trouble === what && onError === 'fail'
        if (plans.some((one) => fails(one, 'while it is read'))) {
          expect(String(outcome)).toContain('the API is away')
        } else {
          const isEnded = plans.some((one) => fails(one, 'by the destination'))
          if (isEnded) expect(outcome).toBeInstanceOf(LoadRefused)
          const info = isEnded ? (outcome as LoadRefused).info : (outcome as LoadInfo)
          // Rows that are merged by their key, and were read before the trouble, stay: the next run writes them again.
          const isThere = ({ trouble, where }: Plan, at: string) =>
            trouble === 'none' || (trouble === 'while it is read' && where === 'child' && at === 'root')
          expect(await loaded()).toEqual(namesOf(plans, isThere))
          const left = plans.flatMap((one, at) =>
            one.trouble !== 'none' && one.onError === 'continue' ? [`r${at}`] : [],
          )
          expect(info.failedResources.map((one) => one.resource).sort()).toEqual(left)
          for (const name of left) expect(String(info)).toContain(`Resource ${name} FAILED and was left out`)
          const culprits = plans.flatMap((one, at) =>
            fails(one, 'by the destination') ? [`"${one.where === 'root' ? 'r' : 'c'}${at}"`] : [],
          )
          for (const name of culprits) expect((outcome as LoadRefused).message).toContain(name)
          for (const name of left) if (isEnded) expect((outcome as LoadRefused).message).not.toContain(`"${name}"`)
          const refused = plans.filter(({ trouble }) => trouble === 'by the destination').length
          expect(info.refusedPackages.flatMap((one) => one.refusals)).toHaveLength(refused)
          expect(target.failedPackages().length > 0).toBe(refused > 0)
        }
        await target.run(sourceOf(plans, true))
        expect(await loaded()).toEqual(namesOf(plans, () => true))
      }),
      { numRuns: effort(4, 60) },
    )
  })

  it('does not take down with it one that writes to the same table and must not fail', async () => {
    const { target } = shop()
    const rows = (onError: 'fail' | 'continue', name: string, ids: number[]) =>
      resource(
        name,
        ids.map((id) => ({ id })),
        { ...upsert, tableName: 'people', onError },
      )
    const run = target.run(source('shop', [rows('continue', 'a', [1, 1]), rows('fail', 'b', [2])]))
    await expect(run).rejects.toBeInstanceOf(LoadRefused)
  })

  it('fails a part all the same: one that lacks a resource is not complete', async () => {
    const { target } = shop()
    const one = source('shop', [resource('a', [{ id: 1 }, { id: 1 }], { ...upsert, onError: 'continue' })])
    await expect(target.run(one, { partition: '2025-01-30' })).rejects.toBeInstanceOf(LoadRefused)
  })
})
