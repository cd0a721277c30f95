import { describe, expect, it } from 'vitest'
import type { PipelineError } from '../../src/errors/index.ts'
import { joinUrl, keepPathSlots, setPathValue, type RestRequest } from '../../src/sources/rest/request.ts'
import { fillPath } from '../../src/sources/rest/template.ts'
import { api, json } from '../support/api.ts'
import { effort } from '../support/effort.ts'
import { load } from '../support/rest.ts'
import { randomFrom } from '../support/seed.ts'

const random = randomFrom()
const oneOf = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
const values = ['.', '..', '', '%2e', '%2E%2e', '/', '../x', '\\', 'a b', '…', '?', '#', '7', 'x', '.x', '\t', '\u3002']

/** Asks the URL parser: the path has the segments that were written, with every value inside of its own. */
function staysInPlace(base: URL, segments: readonly string[]): boolean {
  const asked = new URL(`http://api.test/v2/${segments.join('/')}`)
  return base.pathname === asked.pathname && asked.pathname.split('/').length === segments.length + 2
}

describe('a value in a path stays in its place', () => {
  it('for rows of parents', () => {
    let refused = 0
    for (let round = 0; round < effort(1500, 100_000); round++) {
      const segments = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
        oneOf([['users'], ['v1'], ['{}'], ['{}'], ['{}', '{}'], ['%2e', '{}'], ['.', '{}'], ['id-', '{}']]),
      )
      const row: Record<string, string> = {}
      const template = segments.map((parts, at) =>
        parts.map((part, index) => {
          if (part !== '{}') return part
          row[`f${at}${index}`] = oneOf(values)
          return `{resources.p.f${at}${index}}`
        }),
      )
      const path = template.map((parts) => parts.join('')).join('/')
      const expected = segments.map((parts, at) =>
        parts.map((part, index) => (part === '{}' ? encodeURIComponent(row[`f${at}${index}`]!) : part)).join(''),
      )
      const leads = segments.some(
        (parts, at) => parts.includes('{}') && ['', '.', '..'].includes(expected[at]!.replaceAll(/%2e/gi, '.')),
      )
      try {
        const url = joinUrl('http://api.test/v2', fillPath(path, { parents: new Map([['p', [row]]]) }))
        expect(leads, `${path} ${JSON.stringify(row)}`).toBe(false)
        expect(staysInPlace(url, expected), `${path} ${JSON.stringify(row)} ${url.href}`).toBe(true)
      } catch (error) {
        expect((error as PipelineError).code, String(error)).toBe('PATH_VALUE_FORBIDDEN')
        expect(leads, `${path} ${JSON.stringify(row)}`).toBe(true)
        refused++
      }
    }
    expect(refused).toBeGreaterThan(0)
  })

  it('for what paging writes', () => {
    for (let round = 0; round < effort(500, 20_000); round++) {
      const request: RestRequest = {
        method: 'GET',
        url: joinUrl('http://api.test', 'list/{cursor}/{page}/rows'),
        headers: {},
        body: undefined,
      }
      keepPathSlots(request, ['cursor', 'page'])
      const [cursor, page] = [oneOf(values), oneOf(values)]
      const leads = [cursor, page].some((value) => ['', '.', '..'].includes(value))
      try {
        setPathValue(request, 'cursor', cursor)
        setPathValue(request, 'page', page)
        expect(leads, `${cursor} ${page}`).toBe(false)
        expect(request.url.pathname).toBe(`/list/${encodeURIComponent(cursor)}/${encodeURIComponent(page)}/rows`)
      } catch (error) {
        expect((error as PipelineError).code, String(error)).toBe('PATH_VALUE_FORBIDDEN')
        expect(leads).toBe(true)
      }
    }
  })

  it.each(['..', '.', ''])('also %j as a parameter that the path takes, and as an id that an API gave', async (id) => {
    const target = await api((_request, response) => json(response, [{ id }]))
    const taken = load(target, [{ name: 'a', endpoint: { path: 'users/{id}/orders', params: { id } } }])
    await expect(taken).rejects.toMatchObject({ code: 'PATH_VALUE_FORBIDDEN' })
    expect(target.requests).toEqual([])
    const fed = load(target, [
      { name: 'users', endpoint: { path: 'users', paginator: 'single_page' } },
      { name: 'orders', endpoint: { path: 'users/{resources.users.id}/orders', paginator: 'single_page' } },
    ])
    await expect(fed).rejects.toMatchObject({ code: 'PATH_VALUE_FORBIDDEN' })
    expect(target.requests).toEqual(['GET /users'])
  })
})
