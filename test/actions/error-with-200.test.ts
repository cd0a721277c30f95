import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { action, restAction, sendRows } from '../../src/actions/index.ts'
import { api, freshPipeline, json } from '../support/api.ts'
import { effort } from '../support/effort.ts'
import { fc } from '../support/seed.ts'

type Outcome = 'sent' | 'refused' | 'unknown'

/** What APIs answer to a write with status 200, by what that means for the row. */
const bodies: Record<Outcome, readonly unknown[]> = {
  sent: [
    {},
    [],
    [{ error: 'in a list of records' }],
    { ok: true },
    { ok: true, error: null, errors: [] },
    { success: 'true', message: 'queued' },
    { id: 5, error: 'a field of the record' },
    { id: 5, status: 'error', created: '2025-01-01' },
    { data: { create: { id: 5 } } },
    { data: { create: { id: 5 } }, errors: [] },
    { status: 200, message: 'ok' },
    { code: 0, data: { id: 5 } },
  ],
  refused: [
    { ok: false, error: 'channel_not_found' },
    { ok: false, error_code: 400, description: 'Bad Request: chat not found' },
    { success: false, message: 'no such contact', contact: { id: 5 } },
    { success: 'false', errors: { email: ['is invalid'] } },
    { error: 'no such contact' },
    { error: { message: 'no such contact', code: 404 } },
    { status: 'error', message: 'no such contact' },
    { errcode: 40003, errmsg: 'invalid openid' },
    { errors: [{ message: 'no such contact' }] },
    { data: null, errors: [{ message: 'no such contact' }] },
    { data: { create: null }, errors: [{ message: 'no such contact', path: ['create'] }] },
  ],
  unknown: [
    { status: 503, message: 'unavailable' },
    { error: { code: 500, message: 'backend' } },
    { error: { code: 'INTERNAL_ERROR' } },
    { data: { create: null }, errors: [{ message: 'oops', extensions: { code: 'TIMEOUT' } }] },
    { data: { create: { id: 5 }, notify: null }, errors: [{ message: 'not notified', path: ['notify'] }] },
  ],
}
const outcomes: readonly Outcome[] = ['sent', 'refused', 'unknown']
const kinds = outcomes.flatMap((outcome) => bodies[outcome].map((body) => ({ outcome, body })))

/** Rows of which each gets its response, once or, where it is asked again, from the second time on another. */
async function sending(answers: readonly { body: unknown; later?: unknown }[], idempotencyHeader?: string) {
  const of = freshPipeline('shop')
  await of.run(
    answers.map((_, id) => ({ id })),
    { tableName: 'people' },
  )
  const asked = answers.map(() => 0)
  const server = await api((_request, response, _url, text) => {
    const { id } = JSON.parse(text) as { id: number }
    const { body, later = body } = answers[id]!
    asked[id]! += 1
    json(response, asked[id] === 1 ? body : later)
  })
  const client = { baseUrl: server.baseUrl, backoffMs: 1, maxAttempts: 2 }
  const greet = action({
    name: 'greet',
    pipeline: of,
    rows: 'SELECT id FROM data.people ORDER BY id',
    key: 'id',
    message: ({ id }: { id: number }) => ({ path: 'greetings', body: { id: Number(id) } }),
    to: restAction({ name: 'mail', client, ...(idempotencyHeader === undefined ? {} : { idempotencyHeader }) }),
  })
  const results = async () => {
    const rows = await of
      .dataset()
      .table<{ key: string; status: string; error: string | null }>('greet_results')
      .toArray()
    return new Map(rows.map((row) => [Number(row.key), row]))
  }
  return { greet, asked, results }
}

describe('an error in a response with status 200', () => {
  it('counts as the refusal that it is, and no row is sent twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...kinds), { minLength: 6, maxLength: 15 }), async (drawn) => {
        process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-actions-'))
        const { greet, asked, results } = await sending(drawn)
        const expected = { sent: 0, refused: 0, unknown: 0 }
        for (const { outcome } of drawn) expected[outcome] += 1
        expect(await sendRows(greet)).toEqual(expected)
        expect(await sendRows(greet)).toEqual({ sent: 0, refused: 0, unknown: 0 })
        const found = await results()
        for (const [id, { outcome, body }] of drawn.entries()) {
          expect([found.get(id)!.status, body]).toEqual([outcome, body])
          if (outcome !== 'sent') expect(found.get(id)!.error).toContain('answered 200 with an error')
        }
        expect(asked).toEqual(drawn.map(() => 1))
      }),
      { numRuns: effort(2, 40) },
    )
  })

  it('says why, and is sent again when asked', async () => {
    const { greet, asked, results } = await sending([
      { body: { ok: false, error: 'channel_not_found' }, later: { ok: true } },
      { body: { ok: true } },
    ])
    expect(await sendRows(greet)).toEqual({ sent: 1, refused: 1, unknown: 0 })
    expect((await results()).get(0)!.error).toContain('answered 200 with an error: channel_not_found')
    expect(await sendRows(greet, { again: ['refused'] })).toEqual({ sent: 1, refused: 0, unknown: 0 })
    expect(asked).toEqual([2, 1])
  })

  it('is waited out when it is a rate limit, and ends the run when it is about the key', async () => {
    const limited = await sending([
      {
        body: { data: null, errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }] },
        later: { data: {} },
      },
    ])
    expect(await sendRows(limited.greet)).toEqual({ sent: 1, refused: 0, unknown: 0 })
    expect(limited.asked).toEqual([2])
    const closed = await sending([{ body: { ok: false, error: 'invalid_auth' }, later: { ok: true } }])
    await expect(sendRows(closed.greet)).rejects.toThrow('invalid_auth')
    expect((await closed.results()).get(0)!.status).toBe('released')
    expect(await sendRows(closed.greet)).toEqual({ sent: 1, refused: 0, unknown: 0 })
  })

  it('is tried again with an idempotency key where another attempt may not meet it', async () => {
    const answers = [
      { body: { status: 503, message: 'unavailable' }, later: {} },
      { body: { error: 'gone' }, later: {} },
    ]
    const { greet, asked } = await sending(answers, 'Idempotency-Key')
    expect(await sendRows(greet)).toEqual({ sent: 1, refused: 1, unknown: 0 })
    expect(asked).toEqual([2, 1])
  })
})
