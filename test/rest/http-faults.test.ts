import { describe, expect, it } from 'vitest'
import { PipelineError, type RunEvent, type Source } from '../../src/index.ts'
import { restSource, type ClientSpec } from '../../src/sources/rest/index.ts'
import { api, freshPipeline, json, tableNames, type Answer, type TestApi } from '../support/api.ts'
import { tiered } from '../support/effort.ts'

const client = (baseUrl: string): ClientSpec => ({
  baseUrl,
  backoffMs: 5,
  maxAttempts: 3,
  paginator: 'single_page',
})

const users = (target: TestApi, extra: Partial<ClientSpec> = {}): Source =>
  restSource({ name: 'people', client: { ...client(target.baseUrl), ...extra }, resources: ['good', 'users'] })

/** Answers `/users` with each of the answers in turn, the last one again and again; `/good` always well. */
function inTurn(...answers: Answer[]): Answer {
  let asked = 0
  return (request, response, url, body) => {
    if (url.pathname === '/good') return json(response, [{ id: 1 }])
    answers[Math.min(asked++, answers.length - 1)]!(request, response, url, body)
  }
}
const status =
  (code: number, body: unknown = '', headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    json(response, body as string, code, headers)
const ok: Answer = (_request, response) => json(response, [{ id: 1 }, { id: 2 }])
const drop: Answer = (request) => request.socket.destroy()
const hang: Answer = () => undefined
/** Short only where nothing answers: a slow machine must not run into it elsewhere. */
const timeLimit = (answer: Answer): Partial<ClientSpec> => (answer === hang ? { timeoutMs: 1000 } : {})
const dropInTheMiddle: Answer = (request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
  response.write('[{"id": 1}')
  setTimeout(() => request.socket.destroy(), 10)
}
const html: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/html' })
  response.end('<!doctype html><title>Log in</title>')
}

async function failure(target: TestApi, extra?: Partial<ClientSpec>) {
  const loading = freshPipeline()
  const error = await loading.run(users(target, extra)).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(PipelineError)
  // Nothing half-loaded: not even the resource that was read without trouble.
  expect(await tableNames(loading)).toEqual([])
  return error as PipelineError
}

describe('errors that end a load', () => {
  const codes: [code: number, fix: string][] = [
    [401, 'check the key: it is missing, mistyped or revoked'],
    [403, 'the key is valid but may not read this: check its rights and the plan of the account'],
    [404, 'check the path and the ids in it'],
    [400, 'the API refuses the request'],
  ]
  for (const [[code, fix], options] of tiered(codes, 2))
    it(`${code} is told at once, in two lines`, options, async () => {
      const target = await api(inTurn(status(code, { message: 'no, thanks' })))
      const error = await failure(target)
      expect(error.message.split('\n')).toHaveLength(2)
      expect(error.summary).toBe(`resource "users": GET ${target.baseUrl}/users answered ${code}: no, thanks`)
      expect(error.fix).toContain(fix)
      expect(target.requests.filter((one) => one === 'GET /users')).toHaveLength(1)
    })

  const lasting: [name: string, answer: Answer, summary: string, code: string][] = [
    ['500', status(500, { error: { message: 'boom' } }), 'answered 500 after 3 attempts: boom', 'HTTP_STATUS'],
    ['429 without Retry-After', status(429), 'answered 429 after 3 attempts', 'HTTP_STATUS'],
    ['a dropped connection', drop, 'failed after 3 attempts', 'HTTP_FAILED'],
    ['half an answer', dropInTheMiddle, 'failed after 3 attempts', 'HTTP_FAILED'],
    ['no answer in time', hang, 'no answer in time', 'HTTP_FAILED'],
    ['HTML with status 200', html, 'answered with an HTML page (text/html) after 3 attempts', 'HTTP_NOT_JSON'],
    ['broken JSON', status(200, '{"data": ['), 'text that is not JSON', 'HTTP_NOT_JSON'],
  ]
  for (const [[name, answer, summary, code], options] of tiered(lasting, 3))
    it(`${name} is tried again, then told in two lines`, options, async () => {
      const target = await api(inTurn(answer))
      const error = await failure(target, timeLimit(answer))
      expect(error.message.split('\n')).toHaveLength(2)
      expect(error.summary).toContain(summary)
      expect(error.code).toBe(code)
      expect(error.recovery).toBe('retry')
      expect(target.requests.filter((one) => one === 'GET /users')).toHaveLength(3)
    })

  it('says when the key is still the one from the documentation', async () => {
    const target = await api(inTurn(status(401)))
    const error = await failure(target, { auth: { type: 'bearer', token: 'your_api_key_here' } })
    expect(error.fix).toMatch('still the example from the documentation: set your own with sluice secrets set')
    const missing = await failure(target, { auth: { type: 'bearer', token: '<paste it here>' } })
    expect(missing.fix).toMatch(/set it: sluice secrets set sources\.\w+\.token$/)
  })

  it('never shows a secret', async () => {
    const target = await api(inTurn(status(400, { message: 'bad key s3cret-value-1' })))
    const error = await failure(target, {
      auth: { type: 'api_key', name: 'key', location: 'query', apiKey: 's3cret-value-1' },
    })
    expect(error.message).not.toContain('s3cret-value-1')
    expect(error.message).toContain('***')
  })
})

describe('trouble that passes', () => {
  const passing: [name: string, answer: Answer][] = [
    ['a 500', status(500)],
    ['a 503 with Retry-After', status(503, '', { 'retry-after': '0' })],
    ['a 429 without Retry-After', status(429)],
    ['a dropped connection', drop],
    ['half an answer', dropInTheMiddle],
    ['no answer in time', hang],
    ['HTML', html],
  ]
  for (const [[name, answer], options] of tiered(passing, 3, 1))
    it(`${name} is tried again and loads`, options, async () => {
      const target = await api(inTurn(answer, ok))
      const loading = freshPipeline()
      const info = await loading.run(users(target, timeLimit(answer)))
      expect(info.rows).toEqual({ good: 1, users: 2 })
    })

  it('waits as long as Retry-After says', async () => {
    const target = await api(inTurn(status(429, '', { 'retry-after': '1' }), ok))
    const loading = freshPipeline()
    const events: RunEvent[] = []
    loading.on((event) => events.push(event))
    await loading.run(users(target))
    const waits = events.filter((event) => event.type === 'wait' && event.reason === 'retry')
    expect(waits).toMatchObject([{ resource: 'users', ms: 1000, detail: 'HTTP 429' }])
  })

  it('keeps earlier rows when a later run fails', async () => {
    let broken = false
    const target = await api((request, response, url, body) =>
      (broken && url.pathname === '/users' ? status(500) : ok)(request, response, url, body),
    )
    const loading = freshPipeline()
    await loading.run(users(target), { writeDisposition: 'replace' })
    broken = true
    await expect(loading.run(users(target), { writeDisposition: 'replace' })).rejects.toThrow('answered 500')
    expect(await loading.dataset().table('users').toArray()).toHaveLength(2)
    expect(await loading.dataset().table('good').toArray()).toHaveLength(2)
  })

  it('takes an empty page and 204 for no rows', async () => {
    for (const answer of [status(200, []), status(204)]) {
      const target = await api(inTurn(answer))
      const info = await freshPipeline().run(users(target))
      expect(info.rows).toEqual({ good: 1 })
    }
  })
})

describe('where requests may go', () => {
  const elsewhere = async (): Promise<TestApi> => api((_request, response) => json(response, [{ id: 9 }]))

  it('does not follow a redirect to another origin', async () => {
    const other = await elsewhere()
    const target = await api(
      inTurn((_request, response) => response.writeHead(302, { location: `${other.baseUrl}/x` }).end()),
    )
    const error = await failure(target, { auth: { type: 'bearer', token: 'secret-token' } })
    expect(error.code).toBe('LINK_FORBIDDEN')
    expect(other.requests).toEqual([])
  })

  it('follows one to an allowed host, without credentials', async () => {
    const other = await elsewhere()
    const target = await api(
      inTurn((_request, response) => response.writeHead(302, { location: `${other.baseUrl}/x` }).end()),
    )
    const allowedHosts = [new URL(other.baseUrl).host]
    const source = users(target, {
      allowedHosts,
      auth: { type: 'bearer', token: 'secret-token' },
      headers: { 'X-Key': 'k' },
    })
    await freshPipeline().run(source)
    expect(other.requests).toEqual(['GET /x'])
    expect(other.headers[0]).not.toHaveProperty('authorization')
    expect(other.headers[0]).not.toHaveProperty('x-key')
  })

  const links = ['//evil.test/p', 'http://169.254.169.254/latest', 'file:///etc/passwd', 'https://127.0.0.1/']
  for (const [next, options] of tiered(links, 2))
    it(`does not follow the next link ${next}`, options, async () => {
      const target = await api((_request, response) => json(response, { data: [{ id: 1 }], next }))
      const source = restSource({
        name: 'people',
        client: { ...client(target.baseUrl), paginator: { type: 'json_link', nextUrlPath: 'next' } },
        resources: ['users'],
      })
      await expect(freshPipeline().run(source)).rejects.toMatchObject({ code: 'LINK_FORBIDDEN' })
    })

  it('ends a loop of pages', async () => {
    const target = await api((_request, response) => json(response, { data: [{ id: 1 }], next: '/users?page=1' }))
    const source = restSource({
      name: 'people',
      client: { ...client(target.baseUrl), paginator: { type: 'json_link', nextUrlPath: 'next' } },
      resources: ['users'],
    })
    await expect(freshPipeline().run(source)).rejects.toMatchObject({ code: 'PAGING_LOOP' })
  })

  it('refuses an answer without end', async () => {
    const target = await api(inTurn((_request, response) => json(response, `[${'1,'.repeat(5000)}1]`)))
    const error = await failure(target, { maxResponseBytes: 1000 })
    expect(error.code).toBe('HTTP_TOO_LARGE')
  })
})

it('keeps the rate budget of a client, shared by its resources', async () => {
  const times: number[] = []
  const target = await api((_request, response) => {
    times.push(performance.now())
    json(response, [{ id: 1 }])
  })
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const source = restSource({
    name: 'people',
    client: { ...client(target.baseUrl), rateLimit: { requests: 3, perSeconds: 2 } },
    resources: names,
  })
  await freshPipeline().run(source)
  expect(times).toHaveLength(6)
  // Never more than three in any two seconds; half a second is for requests that were sent and came late.
  for (let at = 3; at < times.length; at++) expect(times[at]! - times[at - 3]!).toBeGreaterThan(1500)
})
