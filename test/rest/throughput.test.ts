import { createSecureServer } from 'node:http2'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, createServer as createTcpServer } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { RateLimiter } from '../../src/sources/rest/http/rate-limiter.ts'
import { serverLimit, statedWaitMs } from '../../src/sources/rest/http/rate-headers.ts'
import { api, json } from '../support/api.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { load } from '../support/rest.ts'

describe('what servers say about their limits', () => {
  const now = Date.parse('2025-01-31T12:00:00Z')
  it.each<[string, Record<string, string>, { remaining: number; resetMs: number } | undefined]>([
    [
      'GitHub',
      { 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': String(now / 1000 + 60) },
      { remaining: 3, resetMs: 60_000 },
    ],
    ['seconds from now', { 'ratelimit-remaining': '0', 'ratelimit-reset': '7' }, { remaining: 0, resetMs: 7000 }],
    ['the field of the draft', { ratelimit: 'limit=100, remaining=50, reset=30' }, { remaining: 50, resetMs: 30_000 }],
    ['the field of the newer draft', { ratelimit: '"default";r=5;t=12' }, { remaining: 5, resetMs: 12_000 }],
    [
      'milliseconds since 1970',
      { 'x-rate-limit-remaining': '1', 'x-rate-limit-reset': String(now + 500) },
      { remaining: 1, resetMs: 500 },
    ],
    [
      'a date',
      { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': 'Fri, 31 Jan 2025 12:00:10 GMT' },
      { remaining: 1, resetMs: 10_000 },
    ],
    ['no reset', { 'x-ratelimit-remaining': '1' }, undefined],
    ['nothing', {}, undefined],
    ['nonsense', { 'x-ratelimit-remaining': 'many', 'x-ratelimit-reset': 'soon' }, undefined],
  ])('%s', (_api, headers, expected) => {
    expect(serverLimit(new Headers(headers), now)).toEqual(expected)
  })

  it('Retry-After in seconds, as 0, and as a date', () => {
    const said = (text: string) => statedWaitMs(new Headers({ 'retry-after': text }), 503, now)
    expect([said('2'), said('0'), said('Fri, 31 Jan 2025 12:00:05 GMT'), said('soon')]).toEqual([
      2000,
      0,
      5000,
      undefined,
    ])
  })
})

/** An API that allows so many requests in a window, and counts those that were too many. */
async function limited(requests: number, windowMs: number, options: { tells: boolean; latencyMs?: number }) {
  let begun = 0
  let used = 0
  let refused = 0
  const arrived: number[] = []
  const target = await api((_request, response, url) => {
    const now = performance.now()
    if (now - begun >= windowMs) [begun, used] = [now, 0]
    used += 1
    arrived.push(now)
    const reset = String((begun + windowMs - now) / 1000)
    const headers = options.tells
      ? { 'ratelimit-remaining': String(Math.max(0, requests - used)), 'ratelimit-reset': reset }
      : {}
    if (used > requests) {
      refused += 1
      return json(response, {}, 429, { ...headers, 'retry-after': reset })
    }
    if (url.pathname === '/ids')
      return json(
        response,
        Array.from({ length: 59 }, (_, id) => ({ id })),
        200,
        headers,
      )
    setTimeout(() => json(response, [{ path: url.pathname }], 200, headers), options.latencyMs ?? 5)
  })
  return { target, arrived, refused: () => refused }
}

const children = ['ids', { name: 'c', endpoint: { path: 'c/{resources.ids.id}', dataSelector: '$' } }]

describe('a rate budget', () => {
  it('is never exceeded, and a window is used wholly', async () => {
    const clock = new ManualClock()
    const limiter = new RateLimiter({ requests: 20, perSeconds: 60 }, 100, { clock })
    const { signal } = new AbortController()
    const sent: number[] = []
    const send = async (): Promise<void> => {
      sent.push(clock.now())
      await clock.sleep(500)
    }
    const caller = { resource: 'a', signal, onWait: () => undefined }
    await clock.passUntil(Promise.all(Array.from({ length: 60 }, () => limiter.run(send, caller))))
    expect(sent).toHaveLength(60)
    for (let at = 20; at < 60; at++) expect(sent[at]! - sent[at - 20]!).toBeGreaterThan(60_000)
    expect(sent.findIndex((at) => at - sent[0]! >= 60_000)).toBe(20)
    expect(sent.at(-1)).toBeLessThan(2 * 62_000)
  })

  it('is never exceeded at the server', { tags: ['slow'] }, async () => {
    // The limiter allows for requests that arrive late by a tenth of the window: a long one, for a slow machine.
    const server = await limited(30, 4000, { tells: false })
    await load(server.target, children, { rateLimit: { requests: 30, perSeconds: 4 } })
    expect(server.refused()).toBe(0)
    expect(server.arrived).toHaveLength(60)
    expect(server.arrived.filter((at) => at - server.arrived[0]! < 4000)).toHaveLength(30)
  })

  it('that only the server knows is kept to by its headers, without a refusal', async () => {
    const server = await limited(20, 500, { tells: true })
    await load(server.target, children)
    expect(server.refused()).toBe(0)
    expect(server.arrived).toHaveLength(60)
  })

  it('an answer 403 with a used up limit is waited for', async () => {
    let asked = 0
    const target = await api((_request, response) =>
      ++asked === 1
        ? json(response, { message: 'rate limit exceeded' }, 403, {
            'x-ratelimit-remaining': '0',
            'x-ratelimit-reset': '0.05',
          })
        : json(response, [{ id: 1 }]),
    )
    const { info } = await load(target, ['a'])
    expect(info.rows).toEqual({ a: 1 })
  })
})

it('resources take turns: one with many requests waiting does not keep another from its own', async () => {
  const limiter = new RateLimiter(undefined, 1)
  const order: string[] = []
  const { signal } = new AbortController()
  const ask = (resource: string) =>
    limiter.run(async () => void order.push(resource), { resource, signal, onWait: () => undefined })
  await Promise.all([...Array.from({ length: 5 }, () => ask('big')), ...Array.from({ length: 2 }, () => ask('small'))])
  expect(order).toEqual(['big', 'big', 'small', 'big', 'small', 'big', 'big'])
})

it('pages by number are read several at a time', async () => {
  let most = 0
  const open: (() => void)[] = []
  const target = await api((_request, response, url) => {
    const page = Number(url.searchParams.get('page') ?? 1)
    open.push(() => json(response, { items: [{ id: page }], page, total_pages: 40 }))
    most = Math.max(most, open.length)
    // After the first page, nothing is answered until ten wait.
    if (page === 1 || most >= 10) for (const answer of open.splice(0)) setTimeout(answer, 5)
  })
  const { info } = await load(target, ['items'], { concurrency: 10 })
  expect(info.rows).toEqual({ items: 40 })
  expect(most).toBe(10)
})

describe('connections', () => {
  it('HTTP/2 where the server offers it: one connection for all', async () => {
    const { generate } = await import('selfsigned')
    const { private: key, cert } = await generate([{ name: 'commonName', value: '127.0.0.1' }])
    const versions: string[] = []
    let sessions = 0
    const server = createSecureServer({ key, cert, allowHTTP1: true }, (request, response) => {
      versions.push(request.httpVersion)
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(request.url === '/ids' ? '[{"id":1},{"id":2},{"id":3}]' : '[{"x":1}]')
    })
    server.on('session', () => (sessions += 1))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    // The certificate is this test's own.
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    onTestFinished(() => void delete process.env.NODE_TLS_REJECT_UNAUTHORIZED)
    const baseUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { info } = await load({ baseUrl }, ['ids', { name: 'c', endpoint: 'c/{resources.ids.id}/x' }])
    expect(info.rows).toEqual({ ids: 3, c: 3 })
    expect(versions).toEqual(['2.0', '2.0', '2.0', '2.0'])
    expect(sessions).toBe(1)
  })

  /** A proxy that passes plain requests and tunnels on, and keeps what it saw. */
  async function proxy() {
    const seen: string[] = []
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim())
      const onward = httpRequest(request.url!, { method: request.method, headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(response)
      })
      request.pipe(onward)
    })
    server.on('connect', (request, socket, head) => {
      seen.push(`CONNECT ${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim())
      const [host, port] = request.url!.split(':')
      const onward = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        onward.write(head)
        onward.pipe(socket).pipe(onward)
      })
      onward.on('error', () => socket.destroy())
      socket.on('error', () => onward.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.close()
      server.closeAllConnections()
    })
    return { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
  }
  const setForTest = (name: string, value: string): void => {
    process.env[name] = value
    onTestFinished(() => void delete process.env[name])
  }

  it('through the proxy that the environment names, with its login', async () => {
    const between = await proxy()
    const target = await api((_request, response) => json(response, [{ id: 1 }]))
    setForTest('http_proxy', `http://user:proxy-pass@${between.url}`)
    const { info } = await load(target, ['a'])
    expect(info.rows).toEqual({ a: 1 })
    expect(between.seen).toHaveLength(1)
    expect(between.seen[0]).toContain(Buffer.from('user:proxy-pass').toString('base64'))
  })

  it('past it, where no_proxy says so', async () => {
    const between = await proxy()
    const target = await api((_request, response) => json(response, [{ id: 1 }]))
    setForTest('http_proxy', `http://${between.url}`)
    setForTest('no_proxy', '127.0.0.1')
    await load(target, ['a'])
    expect(between.seen).toEqual([])
  })

  it('through the proxy of the source', async () => {
    const between = await proxy()
    const target = await api((_request, response) => json(response, [{ id: 1 }]))
    await load(target, ['a'], { proxy: `http://${between.url}` })
    expect(between.seen).toHaveLength(1)
  })

  it('a host that does not answer, an answer that does not begin, and one that stands still', async () => {
    const waits = await api((request, response) => {
      if (request.url === '/never') return
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('[{"id":1}')
    })
    const attempt = { maxAttempts: 1 }
    await expect(load(waits, ['never'], { ...attempt, headersTimeoutMs: 100 })).rejects.toThrow(
      /failed after 1 attempts/,
    )
    await expect(load(waits, ['stalls'], { ...attempt, bodyTimeoutMs: 100 })).rejects.toThrow(/failed after 1 attempts/)
    // It takes the connection, and never answers the greeting of TLS.
    const mute = createTcpServer().listen(0, '127.0.0.1')
    await once(mute, 'listening')
    onTestFinished(() => void mute.close())
    const baseUrl = `https://127.0.0.1:${(mute.address() as AddressInfo).port}`
    const nowhere = load({ baseUrl }, ['a'], { ...attempt, connectTimeoutMs: 200 })
    await expect(nowhere).rejects.toThrow(/failed after 1 attempts/)
  })
})

it('the log of requests: method, address without its query, status, time', async () => {
  const target = await api((_request, response) => json(response, [{ id: 1 }]))
  const { events } = await load(target, [{ name: 'a', endpoint: { params: { key: 'secret-in-query' } } }])
  const [request] = events.filter((event) => event.type === 'request')
  expect(request).toMatchObject({ method: 'GET', url: `${target.baseUrl}/a`, status: 200 })
  expect(JSON.stringify(events)).not.toContain('secret-in-query')
})
