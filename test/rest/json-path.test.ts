import { describe, expect, it } from 'vitest'
import { jsonPath, parseJson } from '../../src/extract/index.ts'
import { PipelineError } from '../../src/index.ts'
import { fc } from '../support/seed.ts'

/** The document of RFC 9535, section 1.5. */
const store = {
  store: {
    book: [
      { category: 'reference', author: 'Nigel Rees', title: 'Sayings of the Century', price: 8.95 },
      { category: 'fiction', author: 'Evelyn Waugh', title: 'Sword of Honour', price: 12.99 },
      { category: 'fiction', author: 'Herman Melville', title: 'Moby Dick', isbn: '0-553-21311-3', price: 8.99 },
      {
        category: 'fiction',
        author: 'J. R. R. Tolkien',
        title: 'The Lord of the Rings',
        isbn: '0-395-19395-8',
        price: 22.99,
      },
    ],
    bicycle: { color: 'red', price: 399 },
  },
}
const { book } = store.store

describe('JSONPath', () => {
  it.each<[string, unknown[]]>([
    ['$.store.book[*].author', book.map(({ author }) => author)],
    ['$..author', book.map(({ author }) => author)],
    ['$.store.*', [book, store.store.bicycle]],
    ['$.store..price', [399, ...book.map(({ price }) => price)].toSorted()],
    ['$..book[2].author', ['Herman Melville']],
    ['$..book[2].publisher', []],
    ['$..book[-1]', [book[3]]],
    ['$..book[0,1]', book.slice(0, 2)],
    ['$..book[:2]', book.slice(0, 2)],
    ['$..book[?@.isbn]', book.slice(2)],
    ['$..book[?@.price<10]', [book[0], book[2]]],
    ['store.book[::-1].price', book.map(({ price }) => price).toReversed()],
    ["store.book[?@.category == 'fiction' && @.price > 20].title", ['The Lord of the Rings']],
    ["store.book[?search(@.author, 'R')].title", ['Sayings of the Century', 'The Lord of the Rings']],
    ["store.book[?(@.category=='reference')].title", ['Sayings of the Century']],
    ["store.bicycle['color', 'price']", ['red', 399]],
    ["store['bicycle'].color", ['red']],
    ['$', [store]],
    ['', [store]],
  ])('%s', (path, expected) => {
    const found = jsonPath(path).all(store)
    expect(path.includes('..price') ? found.toSorted() : found).toEqual(expected)
    expect(jsonPath(path).first(store)).toEqual(path.includes('..price') ? found[0] : expected[0])
  })

  it.each<[string, unknown, unknown[]]>([
    ['a[*].b', { a: [{ b: 1 }, {}, { b: 2 }] }, [1, 2]],
    ['[-1]', [1, 2, 3], [3]],
    ['a.[0]', { a: [7] }, [7]],
    ['*.b', { x: { b: 1 }, y: { b: 2 } }, [1, 2]],
    ['odata-next', { 'odata-next': 1 }, [1]],
    ["['@odata.nextLink']", { '@odata.nextLink': 'x' }, ['x']],
    ['@odata:count', { '@odata:count': 2 }, [2]],
    ['$a', { $a: 1 }, [1]],
    ['a.0', { a: { 0: 'zero' } }, ['zero']],
    ['constructor', {}, []],
    ['a.length', { a: [1, 2] }, []],
  ])('as dlt spells it: %s', (path, document, expected) => {
    expect(jsonPath(path).all(document)).toEqual(expected)
  })

  it('compares numbers that JSON.parse would bend, and gives them back exact', () => {
    const document = parseJson('{"rows": [{"n": 12.0, "id": 9007199254740993}, {"n": 3, "id": 2}, {"n": 40, "id": 1}]}')
    expect(jsonPath('rows[?@.n > 10].id').all(document)).toEqual([9007199254740993n, 1])
    expect(jsonPath('rows[?@.id > 100]').first(document)).toBe((document as { rows: unknown[] }).rows[0])
  })

  it.each([
    'a[',
    'a[?',
    'a[?@.b ==]',
    'a b',
    "a['x'",
    'a..',
    'a.',
    'items[/name]',
    '[1',
    "['a\\xb']",
    'a|b|[',
    'a[01]',
  ])('refuses %s by name', (path) => {
    const compile = (): unknown => jsonPath(path)
    expect(compile).toThrow(PipelineError)
    expect(compile).toThrow(JSON.stringify(path).slice(1, -1).replaceAll('\\\\', '\\'))
  })

  it('finds what a walk by hand finds, however the path is spelled', () => {
    const key = fc.constantFrom('a', 'b', 'odd key', 'x.y', 'ключ', "it's", '0', '__proto__', 'd-e')
    const document = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'medium' },
        fc.integer(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).value
    type Step = string | number | '*'
    const step: fc.Arbitrary<Step> = fc.oneof(key, fc.integer({ min: -3, max: 3 }), fc.constant('*' as const))
    const spelled = (steps: Step[], spelling: number): string =>
      steps.reduce<string>(
        (path, one, at) => {
          if (typeof one === 'number') return `${path}[${one}]`
          if (one === '*') return (spelling + at) % 2 === 0 ? `${path}[*]` : `${path}${path === '' ? '' : '.'}*`
          const isBare = /^[\w-]+$/.test(one) && (spelling + at) % 3 > 0
          if (isBare) return `${path}${path === '' ? '' : '.'}${one}`
          return `${path}[${one.includes("'") || (spelling + at) % 2 === 0 ? JSON.stringify(one) : `'${one}'`}]`
        },
        spelling % 2 === 0 ? '$' : '',
      )
    const walked = (values: unknown[], one: Step): unknown[] =>
      values.flatMap((value) => {
        if (typeof value !== 'object' || value === null) return []
        if (one === '*') return Object.values(value)
        if (typeof one === 'number')
          return Array.isArray(value) && value.at(one) !== undefined ? [value.at(one) as unknown] : []
        return !Array.isArray(value) && Object.hasOwn(value, one) ? [(value as Record<string, unknown>)[one]] : []
      })
    fc.assert(
      fc.property(document, fc.array(step, { maxLength: 4 }), fc.nat(5), (root, steps, spelling) => {
        const expected = steps.reduce<unknown[]>(walked, [root])
        const path = spelled(steps, spelling)
        expect(jsonPath(path).all(root), path).toEqual(expected)
        const last = steps.at(-1)
        if (typeof last !== 'number') return
        // A union goes through the library.
        const parents = steps.slice(0, -1).reduce<unknown[]>(walked, [root])
        const twice = parents.flatMap((one) => [...walked([one], last), ...walked([one], last)])
        expect(jsonPath(`${spelled(steps.slice(0, -1), spelling)}[${last},${last}]`).all(root), path).toEqual(twice)
      }),
      { numRuns: 300 },
    )
  })
})
