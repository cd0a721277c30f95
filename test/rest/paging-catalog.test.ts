import { describe, expect, it } from 'vitest'
import { restSource } from '../../src/sources/rest/index.ts'
import { detectPaginator } from '../../src/sources/rest/paginate/index.ts'
import { detectingSelector, pathSelector } from '../../src/sources/rest/select.ts'
import { api, json } from '../support/api.ts'
import { read } from '../support/read-source.ts'
import { catalog, first, second, type CatalogApi } from './paging-catalog.ts'

const fill = (value: unknown, base: string): unknown => JSON.parse(JSON.stringify(value).replaceAll('{base}', base))
const plain = (url: URL): string =>
  `${url.pathname}?${[...url.searchParams]
    .map(([key, value]) => `${key}=${value}`)
    .toSorted()
    .join('&')}`

/** Serves the pages in their order, to requests as the catalog says; anything else is a 400. An API that ignores what it does not know repeats its first page. */
async function serve(one: CatalogApi) {
  const unexpected: string[] = []
  let asked = 0
  const ignores = one.refused?.source.includes('first again') === true
  const { baseUrl } = await api((request, response, url, body) => {
    const ask = one.asks[asked - 1]
    const page = one.pages[ignores ? 0 : asked]
    const isAsked =
      asked === 0
        ? plain(url) === plain(new URL(one.path ?? 'list', url))
        : ask !== undefined &&
          (ask.startsWith('{')
            ? JSON.stringify(JSON.parse(body)) === ask
            : ask.startsWith('?') || ask.startsWith('/')
              ? plain(url) === plain(new URL(ask, new URL('/list', url)))
              : request.headers[ask.split(': ')[0]!] === ask.split(': ')[1])
    asked += 1
    if (page === undefined || !isAsked) {
      unexpected.push(`${request.method} ${request.url} ${body}`)
      return json(response, { error: 'bad request' }, 400)
    }
    const { body: answer, status, headers } = fill(page, baseUrl) as (typeof one.pages)[number]
    json(response, answer, status ?? 200, headers)
  })
  return { baseUrl, unexpected, asked: () => asked }
}

describe('the first page of well-known APIs', () => {
  it('of more than a hundred, each once', () => {
    expect(new Set(catalog.map(({ api }) => api)).size).toBe(catalog.length)
    expect(catalog.length).toBeGreaterThan(100)
  })

  it.each(catalog.map((one) => [one.api, one] as const))('%s', (_name, one) => {
    const { body, status = 200, headers = {} } = fill(one.pages[0], 'https://x') as CatalogApi['pages'][number]
    const selector = one.rowsAt === undefined ? detectingSelector() : pathSelector(one.rowsAt)
    const rows = selector.rows(body)
    const url = new URL(one.path ?? 'list', 'https://x')
    const sent = { method: one.method ?? ('GET' as const), url, body: one.json }
    const response = { status, headers: new Headers(headers), body, text: '', url }
    const detect = (): unknown => detectPaginator(response, rows, rows.length, sent)
    if (one.refused !== undefined && one.asks.length === 0) expect(detect).toThrow(one.refused)
    else if (one.paginator !== undefined) expect(detect()).toEqual(one.paginator)
    else if (one.refused === undefined)
      expect(['single_page', 'offset', 'cursor']).toContain((detect() as { type: string }).type)
  })
})

describe('all pages of well-known APIs', () => {
  it('are loaded, each row once, or refused with what was seen', { timeout: 120_000 }, async () => {
    const wrong: string[] = []
    for (const one of catalog) {
      const server = await serve(one)
      const endpoint = {
        path: one.path ?? 'list',
        ...(one.rowsAt === undefined ? {} : { dataSelector: one.rowsAt }),
        ...(one.method === undefined ? {} : { method: one.method, json: one.json! }),
      }
      const source = restSource({
        name: 's',
        client: { baseUrl: server.baseUrl, maxAttempts: 1 },
        resources: [{ name: 'rows', endpoint }],
      })
      const { rows, events, error } = await read(source)
      const note = (what: string): void => void wrong.push(`${one.api}: ${what}`)
      if (one.refused !== undefined) {
        if (error === undefined) note(`not refused, ${rows.length} rows`)
        else if (!one.refused.test(error.message)) note(error.message)
        continue
      }
      const all = one.pages.length === 1 ? first : [...first, ...second]
      if (error !== undefined) note(error.message)
      else if (JSON.stringify(rows) !== JSON.stringify(all)) note(`rows ${JSON.stringify(rows)}`)
      if (server.unexpected.length > 0) note(`asked ${server.unexpected.join(', ')}`)
      const doubts = events.filter(({ type }) => type === 'notice')
      if (doubts.length > 0) note(JSON.stringify(doubts))
    }
    expect(wrong).toEqual([])
  })
})
