import { describe, expect, it } from 'vitest'
import { bumpVersion, emptySchema, unionOf, type Column, type Schema } from '../../src/schema/index.ts'
import { fc } from '../support/seed.ts'

const schemaOf = (tables: Record<string, Column[]>): Schema => {
  const schema = emptySchema('s')
  for (const [name, columns] of Object.entries(tables)) {
    schema.tables.set(name, { name, columns: new Map(columns.map((one) => [one.name, one])), seenData: true })
  }
  bumpVersion(schema)
  return schema
}
const column = (name: string, dataType?: Column['dataType'], extra: Partial<Column> = {}): Column => ({
  name,
  ...(dataType === undefined ? {} : { dataType }),
  ...extra,
})
const typeOf = (schema: Schema | undefined, name: string) => schema?.tables.get('t')?.columns.get(name)?.dataType

describe('what two runners have made of one schema', () => {
  it('has the tables and columns of both, in whatever order they come', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'))
    const tables = fc.dictionary(fc.constantFrom('t', 'u', 'v'), names)
    fc.assert(
      fc.property(tables, tables, (one, other) => {
        const [first, second] = [one, other].map((given) =>
          schemaOf(
            Object.fromEntries(
              Object.entries(given).map(([table, all]) => [table, all.map((name) => column(name, 'text'))]),
            ),
          ),
        )
        const cells = (schema: Schema) =>
          [...schema.tables.values()]
            .flatMap(({ name, columns }) => [...columns.keys()].map((key) => `${name}.${key}`))
            .sort()
        const union = unionOf(first!, second!)!
        expect(cells(union)).toEqual([...new Set([...cells(first!), ...cells(second!)])].sort())
        expect(cells(unionOf(second!, first!)!)).toEqual(cells(union))
        // Nothing new leaves the stored one as it is; something new is a later version.
        const isSame = cells(union).length === cells(first!).length && union.tables.size === first!.tables.size
        expect(union.versionHash === first!.versionHash).toBe(isSame)
        expect(union.version).toBe(Math.max(first!.version, second!.version) + (isSame ? 0 : 1))
      }),
    )
  })

  it.each([
    ['bigint', 'double', 'double'],
    ['double', 'bigint', 'double'],
    ['date', 'timestamp', 'timestamp'],
    ['text', 'bigint', undefined],
    ['timestamp', 'text', undefined],
    ['bool', 'bool', 'bool'],
  ] as const)('takes the wider of %s and %s, or none: %s', (stored, own, expected) => {
    expect(typeOf(unionOf(schemaOf({ t: [column('x', stored)] }), schemaOf({ t: [column('x', own)] })), 'x')).toBe(
      expected,
    )
  })

  it('keeps long whole numbers out of doubles, hints without a type, and digits', () => {
    const long = schemaOf({ t: [column('x', 'bigint', { beyondDouble: true })] })
    expect(unionOf(long, schemaOf({ t: [column('x', 'double')] }))).toBeUndefined()
    expect(unionOf(schemaOf({ t: [column('x', 'double')] }), long)).toBeUndefined()
    const hint = schemaOf({ t: [column('x', undefined, { primaryKey: true })] })
    const both = unionOf(hint, schemaOf({ t: [column('x', 'text')] }))!
    expect(both.tables.get('t')!.columns.get('x')).toMatchObject({ dataType: 'text', primaryKey: true })
    const digits = (count: number) =>
      schemaOf({ t: [column('x', 'decimal', { precision: 38, scale: 9, integerDigits: count })] })
    expect(unionOf(digits(3), digits(7))!.tables.get('t')!.columns.get('x')!.integerDigits).toBe(7)
    const scaled = schemaOf({ t: [column('x', 'decimal', { precision: 20, scale: 2 })] })
    expect(unionOf(digits(3), scaled)).toBeUndefined()
  })
})
