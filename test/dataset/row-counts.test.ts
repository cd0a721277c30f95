import { expect, it } from 'vitest'
import { emptyTarget, engineNames } from '../support/destinations.ts'
import { tiered } from '../support/effort.ts'

for (const [name, options] of tiered(engineNames, 1))
  it(`${name}: rows of more tables than one statement counts`, options, async () => {
    const { target } = await emptyTarget(name)
    const lists = Object.fromEntries(
      Array.from({ length: 160 }, (_, at) => [`list_${at}`, Array.from({ length: at % 3 }, () => ({ a: 1 }))]),
    )
    await target.run([{ id: 1, ...lists }], { tableName: 'wide' })
    const counts = await target.dataset().rowCounts()
    const expected = Object.entries(lists).filter(([, rows]) => rows.length > 0)
    expect(counts).toEqual(
      new Map([['wide', 1], ...expected.map(([key, rows]) => [`wide__${key}`, rows.length] as const)]),
    )
    expect(await target.dataset().rowCounts(['wide__list_2'])).toEqual(new Map([['wide__list_2', 2]]))
  })
