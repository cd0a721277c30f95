import { describe, expect, it } from 'vitest'
import { condition, conditionProblem } from '../../src/sources/rest/condition.ts'

const scope = {
  status: 200,
  body: { more: false, count: 3, note: null, error: { code: 'RATE' }, list: [1, 2], big: '12345678901234567890' },
  headers: new Headers({ 'x-more': 'no', 'x-left': '0' }),
  rows: [{ id: 1 }, { id: 5, 'odd key': 'x' }],
}

describe('conditions', () => {
  it.each([
    ['body.more == false', true],
    ['body.more', false],
    ['!body.more', true],
    ['body.count >= 3', true],
    ['body.count > 3', false],
    ["body.error.code == 'RATE'", true],
    ['body.error.code != "RATE"', false],
    ['body.missing == null', true],
    ['body.note == null && body.count == 3', true],
    ['body.note || body.count', true],
    ['(body.note || body.more) && body.count', false],
    ['body.list.length == 2', true],
    ['rows.length < 100', true],
    ['last_row.id == 5', true],
    ['first_row.id == 1', true],
    ["last_row['odd key'] == 'x'", true],
    ['status == 200', true],
    ["headers['x-more'] == 'no'", true],
    ['headers.x-left == 0', true],
    ["headers['x-none']", false],
    ['body.missing > 1', false],
    ["body.big == '12345678901234567890'", true],
  ])('%s is %s', (text, expected) => {
    expect(condition(text)(scope)).toBe(expected)
  })

  it.each([
    ['body.more ==', /unexpected "its end"/],
    ['bod.more == 1', /unexpected "bod.more"/],
    ['body.more = 1', /unexpected "= 1"/],
    ['(body.more', /unexpected "its end"/],
    ['headers == 1', /unexpected "headers"/],
    ['body.a == 1 2', /unexpected "2"/],
  ])('%s is none', (text, problem) => {
    expect(conditionProblem(text)).toMatch(problem)
  })
})
