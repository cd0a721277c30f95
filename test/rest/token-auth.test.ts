import { createHash, generateKeyPairSync } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import aws4 from 'aws4'
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import type { AuthSpec } from '../../src/sources/rest/index.ts'
import { api, freshPipeline, json, type Answer } from '../support/api.ts'
import { tiered } from '../support/effort.ts'
import { load } from '../support/rest.ts'

const hash = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest('hex')
const fieldsOf = (header: string): Record<string, string> =>
  Object.fromEntries([...header.matchAll(/(\w+)=(?:"([^"]*)"|([^,\s]+))/g)].map((one) => [one[1]!, one[2] ?? one[3]!]))

/** What a server computes for itself from its challenge and what the client names. */
function digestServer(algorithm: 'MD5' | 'SHA-256', qop: 'auth' | 'auth-int' | undefined): Answer {
  const nodeName = algorithm === 'MD5' ? 'md5' : 'sha256'
  return (request, response, url, body) => {
    const given = request.headers.authorization ?? ''
    const { username, nonce, uri, nc, cnonce, response: answer } = fieldsOf(given)
    const login = hash(nodeName, `${username}:the realm:pass word`)
    const what = hash(nodeName, `${request.method}:${uri}${qop === 'auth-int' ? `:${hash(nodeName, body)}` : ''}`)
    const middle = qop === undefined ? nonce : `${nonce}:${nc}:${cnonce}:${qop}`
    const right =
      given.startsWith('Digest ') &&
      uri === url.pathname + url.search &&
      answer === hash(nodeName, `${login}:${middle}:${what}`)
    if (right) return json(response, [{ id: 1, nc: nc ?? '' }])
    const more = qop === undefined ? '' : `, qop="${qop}"`
    const challenge = `Digest realm="the realm", nonce="n0nce", algorithm=${algorithm}, opaque="x y"${more}`
    json(response, {}, 401, { 'www-authenticate': `Basic realm="b", ${challenge}` })
  }
}

describe('digest', () => {
  it.each([
    ['MD5', 'auth', 'GET'],
    ['SHA-256', 'auth', 'GET'],
    ['MD5', undefined, 'GET'],
    ['SHA-256', 'auth-int', 'POST'],
  ] as const)('%s with %s, %s', async (algorithm, qop, method) => {
    const target = await api(digestServer(algorithm, qop))
    const auth: AuthSpec = { type: 'http_digest', username: 'ada', password: 'pass word' }
    const body = method === 'POST' ? { json: { a: 1 } } : {}
    const { rows } = await load(
      target,
      ['a', 'b'].map((name) => ({ name, endpoint: { path: `${name}?x=1`, method, ...body } })),
      { auth, concurrency: 1 },
    )
    expect(await rows('a')).toHaveLength(1)
    // Both may have been sent before the challenge was known; after it each request has a number of its own.
    expect(target.requests.length).toBeLessThanOrEqual(4)
    if (qop !== undefined) expect((await rows('b'))[0]!.nc).toBe('00000002')
  })

  it('a wrong password is not tried twice with one nonce', async () => {
    const target = await api(digestServer('MD5', 'auth'))
    const auth: AuthSpec = { type: 'http_digest', username: 'ada', password: 'wrong-one' }
    await expect(load(target, ['a'], { auth })).rejects.toThrow(/answered 401/)
    expect(target.requests).toHaveLength(2)
  })
})

describe('OAuth 2', () => {
  /** Gives a new refresh token with every access token; each is good once. */
  const rotating = () => {
    let valid = 'refresh-token-0'
    let count = 0
    return api((request, response, url, body) => {
      if (url.pathname !== '/token') {
        const known = request.headers.authorization === `Bearer access-token-${count}`
        return json(response, known ? [{ id: 1 }] : {}, known ? 200 : 401)
      }
      const form = new URLSearchParams(body)
      if (form.get('refresh_token') !== valid || form.get('grant_type') !== 'refresh_token')
        return json(response, { error: 'invalid_grant' }, 400)
      count += 1
      valid = `refresh-token-${count}`
      json(response, { access_token: `access-token-${count}`, refresh_token: valid, expires_in: 3600 })
    })
  }
  const auth: AuthSpec = {
    type: 'oauth2_refresh_token',
    accessTokenUrl: 'token',
    clientId: 'client-1',
    clientSecret: 'client-secret',
    refreshToken: 'refresh-token-0',
  }

  it('a refresh token that is good once is kept for the next run, for this user alone', async () => {
    const target = await rotating()
    const into = freshPipeline()
    await load(target, ['a'], { auth }, into)
    await load(target, ['a'], { auth }, into)
    expect(target.requests.filter((one) => one.endsWith('/token'))).toHaveLength(2)
    const folder = join(process.env.SLUICE_DATA_DIR!, 'tokens')
    const [file] = readdirSync(folder)
    expect(readFileSync(join(folder, file!), 'utf8')).toBe('refresh-token-2')
    expect(statSync(join(folder, file!)).mode & 0o077).toBe(0)
    // New credentials begin anew.
    await expect(load(target, ['a'], { auth: { ...auth, refreshToken: 'refresh-token-9' } }, into)).rejects.toThrow(
      /400/,
    )
  })

  it('an authorization that nobody gave yet says what to do', async () => {
    const target = await rotating()
    freshPipeline()
    const code: AuthSpec = {
      type: 'oauth2_authorization_code',
      authorizationUrl: `${target.baseUrl}/authorize`,
      accessTokenUrl: 'token',
      clientId: 'client-1',
    }
    await expect(load(target, ['a'], { auth: code })).rejects.toThrow(
      /has not been logged in yet\n.*sluice source login/,
    )
  })

  it('a signed token for an access token', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const target = await api((request, response, url, body) => {
      if (url.pathname !== '/token') return json(response, [{ id: request.headers.authorization }])
      const form = new URLSearchParams(body)
      void jwtVerify(form.get('assertion')!, publicKey, { issuer: 'me@x', audience: `${target.baseUrl}/token` }).then(
        ({ payload, protectedHeader }) =>
          json(response, { access_token: `for-${payload.sub}-${String(payload.scope)}-${protectedHeader.kid}` }),
        () => json(response, { error: 'invalid_grant' }, 400),
      )
    })
    const bearer: AuthSpec = {
      type: 'oauth2_jwt_bearer',
      accessTokenUrl: `${target.baseUrl}/token`,
      // As a variable of the environment has it.
      privateKey: pem.replaceAll('\n', '\\n'),
      issuer: 'me@x',
      subject: 'you@x',
      scope: 'read',
      keyId: 'k1',
    }
    const { rows } = await load(target, ['a'], { auth: bearer })
    expect(await rows('a')).toEqual([{ id: 'Bearer for-you@x-read-k1' }])
  })

  it('a key that is none is told before anything is asked', async () => {
    const target = await api((_request, response) => json(response, []))
    const run = load(target, ['a'], { auth: { type: 'jwt', privateKey: 'no key at all' } })
    await expect(run).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect(target.requests).toEqual([])
  })
})

it('a token that is signed here goes as it is', async () => {
  const target = await api((request, response) => json(response, [{ id: request.headers.authorization!.slice(7) }]))
  const auth: AuthSpec = {
    type: 'jwt',
    algorithm: 'HS256',
    privateKey: 'a shared secret that is long enough',
    issuer: 'i',
    audience: 'a',
    claims: { scope: 'x' },
  }
  const { rows } = await load(target, ['a'], { auth })
  const token = String((await rows('a'))[0]!.id)
  expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'HS256' })
  expect(decodeJwt(token)).toMatchObject({ iss: 'i', aud: 'a', scope: 'x' })
  await jwtVerify(token, new TextEncoder().encode('a shared secret that is long enough'))
})

describe('a login for the token of a session', () => {
  it.each<
    [string, Partial<Extract<AuthSpec, { type: 'session' }>>, Answer, (headers: Record<string, unknown>) => unknown]
  >([
    [
      'in the body, sent in a header of its own',
      { tokenPath: 'data.session', sendAs: 'header', name: 'X-Session', scheme: 'Tok' },
      (_request, response) => json(response, { data: { session: 'session-token-1' } }),
      (headers) => expect(headers['x-session']).toBe('Tok session-token-1'),
    ],
    [
      'in a header',
      { tokenHeader: 'X-Auth-Token' },
      (_request, response) => json(response, {}, 200, { 'X-Auth-Token': 'session-token-2' }),
      (headers) => expect(headers.authorization).toBe('Bearer session-token-2'),
    ],
    [
      'in a cookie',
      { tokenCookie: 'sid' },
      (_request, response) => {
        response.writeHead(200, { 'set-cookie': ['a=b; Path=/', 'sid=session-token-3; HttpOnly'] })
        response.end('{}')
      },
      (headers) => expect(headers.cookie).toBe('sid=session-token-3'),
    ],
  ])('%s', async (_where, more, login, check) => {
    let sent = ''
    const target = await api((request, response, url, body) => {
      if (url.pathname === '/login') {
        sent = body
        return login(request, response, url, body)
      }
      check(request.headers)
      json(response, [{ id: 1 }])
    })
    const auth: AuthSpec = { type: 'session', url: 'login', json: { user: 'ada', password: 'pass-word-9' }, ...more }
    await load(target, ['a', 'b'], { auth })
    expect(JSON.parse(sent)).toEqual({ user: 'ada', password: 'pass-word-9' })
    expect(target.requests.filter((one) => one === 'POST /login')).toHaveLength(1)
  })

  it('is asked for again when its time is over', async () => {
    let logins = 0
    const target = await api((_request, response, url) =>
      json(
        response,
        url.pathname === '/login' ? { token: `session-${++logins}`, ends: '2001-01-01T00:00:00Z' } : [{ id: 1 }],
      ),
    )
    const auth: AuthSpec = { type: 'session', url: 'login', expiresPath: 'ends' }
    await load(target, ['a', { name: 'b', endpoint: 'b/{resources.a.id}' }], { auth })
    expect(logins).toBeGreaterThan(1)
  })
})

it('AWS Signature Version 4: the signature is the one of the request that arrived', async () => {
  const keys = { accessKeyId: 'AKIDEXAMPLE1', secretAccessKey: 'wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY' }
  const target = await api((request, response, url, body) => {
    const signed = /SignedHeaders=([^,]+)/.exec(request.headers.authorization ?? '')![1]!.split(';')
    const headers = Object.fromEntries(signed.map((name) => [name, request.headers[name]]))
    const again = aws4.sign(
      {
        service: 'execute-api',
        region: 'eu-west-1',
        method: request.method!,
        path: url.pathname + url.search,
        headers: headers as never,
        ...(body === '' ? {} : { body }),
      },
      keys,
    )
    const right = (again.headers as Record<string, string>).Authorization === request.headers.authorization
    json(response, right ? [{ id: 1 }] : {}, right ? 200 : 403)
  })
  const auth: AuthSpec = { type: 'aws_sigv4', service: 'execute-api', region: 'eu-west-1', ...keys }
  const { info } = await load(
    target,
    [
      { name: 'a', endpoint: { path: 'a b/c', params: { q: 'x y', b: '1' } } },
      { name: 'p', endpoint: { path: 'p', method: 'POST', json: { q: 'ü' } } },
    ],
    { auth },
  )
  expect(info.rows).toEqual({ a: 1, p: 1 })
})

it('credentials of one’s own making', async () => {
  let refused = 0
  const target = await api((request, response) => {
    const known = request.headers['x-own'] === 'secret-value-2'
    if (!known) refused += 1
    json(response, known ? [{ id: 1 }] : {}, known ? 200 : 401)
  })
  let version = 1
  const auth: AuthSpec = {
    type: 'custom',
    create: () => ({
      apply(request) {
        request.headers['x-own'] = `secret-value-${version}`
      },
      refresh: () => ++version > 0,
    }),
  }
  const { info } = await load(target, ['a'], { auth })
  expect(info.rows).toEqual({ a: 1 })
  expect(refused).toBe(1)
})

describe('a token response without a new refresh token', () => {
  const names = ['oauth2_client_credentials', 'oauth2_refresh_token'] as const
  const empty: readonly (readonly [string, object])[] = [
    ['leaves it out', {}],
    ['has null', { refresh_token: null }],
    ['has an empty string', { refresh_token: '' }],
  ]
  const cases = names.flatMap((type) => empty.map(([says, field]) => [type, says, field] as const))
  for (const [[type, says, field], options] of tiered(cases, 2))
    it(`${type}: the response ${says}, and the next run sends the one it has`, options, async () => {
      const forms: URLSearchParams[] = []
      const target = await api((request, response, url, body) => {
        if (url.pathname !== '/token')
          return json(response, [{ id: 1 }], request.headers.authorization === 'Bearer good-token' ? 200 : 401)
        forms.push(new URLSearchParams(body))
        json(response, { access_token: 'good-token', expires_in: 3600, ...field })
      })
      const auth: AuthSpec = {
        type,
        accessTokenUrl: 'token',
        clientId: 'client-1',
        clientSecret: 'client-secret-1',
        ...(type === 'oauth2_refresh_token' ? { refreshToken: 'refresh-token-1' } : {}),
      } as AuthSpec
      const into = freshPipeline()
      for (const _run of [1, 2])
        await load(target, [{ name: 'a', endpoint: { paginator: 'single_page' } }], { auth }, into)
      const expected = type === 'oauth2_refresh_token' ? 'refresh-token-1' : null
      expect(forms.map((form) => form.get('refresh_token'))).toEqual([expected, expected])
    })
})
