import { describe, expect, it } from 'vitest'
import { parseJson, parseLongJson } from '../../src/extract/index.ts'
import { effort } from '../support/effort.ts'
import { fc } from '../support/seed.ts'

const result = async (parse: () => unknown): Promise<unknown> => {
  try {
    return { value: await parse() }
  } catch (error) {
    return { error: String(error) }
  }
}

/** Rows with the same first key as the rows in them, and strings that look like the border between two rows. */
const row = fc.record({
  id: fc.oneof(fc.integer(), fc.constantFrom('},{"id":1', '"', '\\', '{"id":"')),
  name: fc.string({ unit: fc.constantFrom('a', '"', '\\', '{', '}', ',', '[', ']', ':', ' ', 'é') }),
  items: fc.array(fc.record({ id: fc.integer(), name: fc.constantFrom('x', '},{"id":2,"name":"') }), { maxLength: 3 }),
})
const documents = fc.oneof(
  fc.array(row, { minLength: 3, maxLength: 40 }),
  fc.record({ data: fc.array(row, { maxLength: 40 }), next: fc.string(), __proto__: fc.constant(1) }),
  fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })),
  fc.array(fc.jsonValue({ maxDepth: 8 })),
)
const layouts = fc.constantFrom(undefined, 1, '\t', '\r\n ')
const pieceLengths = fc.integer({ min: 4, max: 200 })

describe('long JSON, parsed in pieces', () => {
  it('has the values that it has when it is parsed at once, exact numbers and __proto__ too', async () => {
    const exact = (text: string): string => text.replaceAll(/:(-?\d+)(?=[,}\s])/g, ':$1.0')
    await fc.assert(
      fc.asyncProperty(documents, layouts, pieceLengths, fc.boolean(), async (document, layout, length, isExact) => {
        const text = JSON.stringify(document, null, layout)
        const given = isExact ? exact(text) : text
        expect(await result(() => parseLongJson(given, length))).toEqual(await result(() => parseJson(given)))
      }),
      { numRuns: effort(200, 20_000) },
    )
  })

  it('is refused as it is when it is parsed at once, wherever it is cut or damaged', async () => {
    const damages = fc.constantFrom('', '"', ',', ',,', ']', '}', '[', '{', ':', '\\', 'x')
    await fc.assert(
      fc.asyncProperty(documents, fc.nat(), damages, pieceLengths, async (document, place, damage, length) => {
        const whole = JSON.stringify(document)
        const at = place % whole.length
        const text = damage === '' ? whole.slice(0, at) : whole.slice(0, at) + damage + whole.slice(at)
        expect(await result(() => parseLongJson(text, length))).toEqual(await result(() => parseJson(text)))
      }),
      { numRuns: effort(200, 20_000) },
    )
  })

  it('of more than ten million values is refused before it fills the memory', { tags: ['slow'] }, async () => {
    const text = `[${'{},'.repeat(12_000_000)}1]`
    await expect(parseLongJson(text)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })

  it('lets others have their turn', async () => {
    const text = JSON.stringify({ data: Array.from({ length: 300_000 }, (_, id) => ({ id, name: `name ${id}` })) })
    let turns = 0
    const timer = setInterval(() => (turns += 1), 1)
    const parsed = (await parseLongJson(text, 64 * 1024)) as { data: unknown[] }
    clearInterval(timer)
    expect(parsed.data).toHaveLength(300_000)
    expect(turns).toBeGreaterThan(0)
  })
})
