import { describe, expect, it } from 'vitest'
import { PipelineError } from '../../src/index.ts'
import { pageFault } from '../../src/sources/rest/page-fault.ts'
import { detectingSelector, pathSelector } from '../../src/sources/rest/select.ts'
import type { EndpointSpec, RestSourceSpec } from '../../src/sources/rest/index.ts'
import { api, freshPipeline, json } from '../support/api.ts'
import { load } from '../support/rest.ts'
import { fc } from '../support/seed.ts'
import { effort } from '../support/effort.ts'

/** What APIs send in place of a page, with a status that says that all is well. */
const faults: Record<string, { body: unknown; status?: number; type?: string }> = {
  'ok: false': { body: { ok: false, error: 'ratelimited' } },
  'success: false next to an empty list': { body: { success: false, message: 'try later', items: [] } },
  'success as a string': { body: { success: 'false', data: null, error: { code: 17, message: 'busy' } } },
  'an error message': { body: { error: 'internal error' } },
  'an error object': { body: { error: { message: 'backend', code: 500 } } },
  'a list of errors': { body: { errors: [{ message: 'timeout' }] } },
  'status: error': { body: { status: 'error', message: 'overloaded' } },
  'a status code in the body': { body: { status: 503, message: 'unavailable' } },
  'an error code': { body: { errcode: 45009, errmsg: 'api freq out of limit' } },
  HTML: { body: '<html><body>Sign in</body></html>', type: 'text/html' },
  'a 202': { body: {}, status: 202 },
  'a 202 without a body': { body: '', status: 202 },
  'no list': { body: { took: 3 } },
  'an empty body': { body: '' },
}

const perPage = 2
/** Pages of two rows each, in the order of a cursor; the fault in the place of one page, as often as `times` says. */
async function pagedApi(pages: number, faultyPage: number, fault: (typeof faults)[string], times: number) {
  const state = { left: times }
  const target = await api((_request, response, url) => {
    const page = Number(url.searchParams.get('cursor') ?? 0)
    if (page === faultyPage && state.left > 0) {
      state.left -= 1
      response.writeHead(fault.status ?? 200, { 'content-type': fault.type ?? 'application/json' })
      return void response.end(typeof fault.body === 'string' ? fault.body : JSON.stringify(fault.body))
    }
    const items = Array.from({ length: perPage }, (_, at) => ({
      id: page * perPage + at,
      ts: page * perPage + at,
      error: 'a column',
    }))
    json(response, { ok: true, error: null, errors: [], items, next: page + 1 < pages ? page + 1 : '' })
  })
  return { target, state }
}

const resources = (more: EndpointSpec): RestSourceSpec['resources'] => [
  {
    name: 'items',
    primaryKey: 'id',
    writeDisposition: 'merge',
    endpoint: {
      paginator: { type: 'cursor', cursorPath: 'next', cursorParam: 'cursor' },
      incremental: { cursorPath: 'ts' },
      ...more,
    },
  },
]
const scenario = fc.record({
  name: fc.constantFrom(...Object.keys(faults)),
  pages: fc.integer({ min: 2, max: 5 }),
  at: fc.nat(4),
  times: fc.constantFrom(1, 99),
  selector: fc.constantFrom<EndpointSpec>(
    { dataSelector: 'items' },
    { dataSelector: 'items', requireSelector: true },
    {},
  ),
})

describe('a 2xx response that is not a page of rows', () => {
  it('is asked again, then refused; the cursor does not move, and the next run has every row', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ name, pages, at, times, selector }) => {
        const page = at % pages
        // On the first page nothing says yet that there must be a list.
        fc.pre(page > 0 || name !== 'no list')
        const { target, state } = await pagedApi(pages, page, faults[name]!, times)
        const into = freshPipeline()
        const run = () => load(target, resources(selector), { maxAttempts: 2, backoffMs: 1 }, into)
        const first = await run().catch((error: unknown) => error)
        if (times > 1) {
          expect(first).toBeInstanceOf(PipelineError)
          expect((first as PipelineError).code).toMatch(/^HTTP_NOT_(A_PAGE|JSON)$/)
          expect((first as PipelineError).recovery).toBe('retry')
        } else expect(first).not.toBeInstanceOf(Error)
        state.left = 0
        const { rows } = await run()
        expect(await rows('items')).toHaveLength(pages * perPage)
      }),
      { numRuns: effort(4, 100) },
    )
  })

  it.each<[string, string, unknown]>([
    ['rows with an error of their own', 'items', { items: [{ id: 1, error: 'x', success: false }] }],
    ['a list at the root', '$', [{ error: 'x', status: 'failed' }]],
    [
      'fields that say that all is well',
      'items',
      { ok: true, error: null, errors: [], status: 'ok', code: 0, items: [] },
    ],
    ['an error that says none', 'items', { error: 'none', errcode: 0, items: [] }],
    ['rows next to errors of parts', 'items', { items: [{ id: 1 }], errors: [{ part: 'b' }] }],
    ['one thing that failed', '$', { id: 7, status: 'failed', error: { message: 'out of memory' } }],
    ['an empty object', '$', {}],
  ])('is not seen in %s', (_what, selector, body) => {
    const response = { status: 200, headers: new Headers(), body, text: JSON.stringify(body), url: new URL('http://a') }
    expect(pageFault(response, pathSelector(selector), false)).toBeUndefined()
    expect(pageFault(response, detectingSelector(), false)).toBeUndefined()
  })

  it.each<[string, EndpointSpec]>([
    ['requireSelector: false', { dataSelector: 'items', requireSelector: false }],
    [
      'the action accept',
      { dataSelector: 'items', responseActions: [{ when: 'body.done == true', action: 'accept' }] },
    ],
    [
      'the action ignore',
      { dataSelector: 'items', responseActions: [{ when: 'body.done == true', action: 'ignore' }] },
    ],
  ])('is how an API ends a list: said by %s', async (_how, more) => {
    const { target } = await pagedApi(3, 2, { body: { done: true } }, 99)
    expect((await load(target, resources(more), { maxAttempts: 1 })).info.rows).toEqual({ items: 4 })
  })

  it.each<[string, string, string]>([
    ['CSV', 'csv', '<!doctype html><title>Log in</title>'],
    ['CSV', 'csv', '{"error": "export expired"}'],
    ['JSONL', 'jsonl', '{"error": {"message": "export expired"}}'],
    ['JSONL', 'jsonl', '<html></html>'],
  ])('is not read as %s', async (_name, format, text) => {
    const target = await api((_request, response) => void response.end(text))
    const endpoint = { paginator: 'single_page', format } as EndpointSpec
    await expect(load(target, [{ name: 'rows', endpoint }], { maxAttempts: 1 })).rejects.toMatchObject({
      code: 'HTTP_NOT_JSON',
    })
  })
})
