import { condition } from './condition.ts'
import type { RestResponse } from './request.ts'
import type { ResponseAction, ResponseActionName, ResponseRule } from './spec.ts'

/** What is to become of an answer; `undefined`: what usually becomes of it. */
export type Verdict =
  | { action: ResponseActionName; message?: string | undefined }
  /** The response is not what it should be, which another attempt may bring. */
  | { fault: string }
  /** A write was refused, as if by this status. */
  | { refused: number; said: string }
  | { response: RestResponse }
  | undefined
export type Judge = (response: RestResponse) => Verdict

/** The first rule that fits decides; functions see every answer that no rule before them took. */
export function judgeBy(actions: readonly ResponseAction[]): Judge {
  const judges = actions.map(judgeFor)
  return (response) => {
    let current = response
    for (const judge of judges) {
      const verdict = judge(current)
      if (verdict === undefined) continue
      if (!('response' in verdict)) return verdict
      current = verdict.response
    }
    return current === response ? undefined : { response: current }
  }
}

function judgeFor(given: ResponseAction): Judge {
  if (typeof given === 'function') return (response) => asVerdict(given(response), undefined)
  const fits = fitting(given)
  const { action, message } = given
  return (response) => {
    if (!fits(response)) return undefined
    return typeof action === 'function' ? asVerdict(action(response), message) : { action, message }
  }
}

function asVerdict(said: ResponseActionName | RestResponse | void, message: string | undefined): Verdict {
  if (said === undefined) return undefined
  return typeof said === 'string' ? { action: said, message } : { response: said }
}

/** All that a rule names must fit. A name of an action alone fits nothing, as in dlt; a function sees every answer. */
function fitting({ statusCode, content, when, action }: ResponseRule): (response: RestResponse) => boolean {
  const tests: ((response: RestResponse) => boolean)[] = []
  if (statusCode !== undefined) {
    const pattern = new RegExp(`^${String(statusCode).trim().replace(/x/gi, '\\d')}$`)
    tests.push(({ status }) => pattern.test(String(status)))
  }
  if (content !== undefined) tests.push(({ text }) => text.includes(content))
  if (when !== undefined) {
    const holds = condition(when)
    tests.push(({ status, body, headers }) => holds({ status, body, headers, rows: [] }))
  }
  if (tests.length === 0) return () => typeof action === 'function'
  return (response) => tests.every((test) => test(response))
}
