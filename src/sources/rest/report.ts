import { PipelineError, redact } from '../../errors/index.ts'
import { jsonPath, type ResourceContext } from '../../extract/index.ts'
import { sleepFor } from '../../timers/index.ts'
import { condition } from './condition.ts'
import { joinUrl, type RestRequest, type RestResponse } from './request.ts'
import type { ReportSpec } from './spec.ts'
import { fillPath } from './template.ts'

interface ReportContext {
  resource: string
  baseUrl: string
  /** The origin of a path that is an address of another origin than the client's. */
  foreign(path: string): string | undefined
  headers: Record<string, string>
  context: ResourceContext
  ask(request: RestRequest): Promise<RestResponse | undefined>
}

/**
 * Creates a report and waits until it is done: gives the request for its file, or the answer that already is the file.
 * `undefined` when the source says to go on without it.
 */
export async function prepareReport(
  spec: ReportSpec,
  create: RestRequest,
  { resource, baseUrl, foreign, headers, context, ask }: ReportContext,
): Promise<{ request: RestRequest; answered?: RestResponse } | undefined> {
  const created = await ask(create)
  if (created === undefined) return undefined
  const values = { parents: new Map(), report: created.body }
  const get = (url: URL, home?: string): RestRequest => ({
    method: 'GET',
    url,
    home,
    headers: home === undefined ? { ...headers } : {},
    body: undefined,
  })
  const poll = get(joinUrl(baseUrl, fillPath(spec.pollPath, values)), foreign(spec.pollPath))
  const [isDone, hasFailed] = [spec.doneWhen, spec.failedWhen].map((text) =>
    text === undefined ? () => false : condition(text),
  ) as [ReturnType<typeof condition>, ReturnType<typeof condition>]
  const everyMs = (spec.pollEvery ?? 5) * 1000
  const until = performance.now() + (spec.pollFor ?? 3600) * 1000
  for (;;) {
    const answer = await ask(poll)
    if (answer === undefined) return undefined
    const { status, body, headers: said } = answer
    const scope = { status, body, headers: said, rows: [] }
    if (hasFailed(scope)) throw failed(resource, poll, 'the API says that it failed')
    if (isDone(scope))
      return download(spec, { ...values, poll: body }, answer, { get, resource, baseUrl, poll, foreign })
    if (performance.now() + everyMs > until) throw failed(resource, poll, `not done after ${spec.pollFor ?? 3600} s`)
    context.emit({ type: 'wait', resource, reason: 'report', ms: everyMs, detail: redact(poll.url.pathname) })
    await sleepFor(everyMs, context.signal)
  }
}

function download(
  spec: ReportSpec,
  values: { parents: Map<string, unknown[]>; report: unknown; poll: unknown },
  answered: RestResponse,
  {
    get,
    resource,
    baseUrl,
    poll,
    foreign,
  }: Pick<ReportContext, 'resource' | 'baseUrl' | 'foreign'> & {
    get(url: URL, home?: string): RestRequest
    poll: RestRequest
  },
): { request: RestRequest; answered?: RestResponse } {
  if (spec.downloadPath !== undefined) {
    const url = joinUrl(baseUrl, fillPath(spec.downloadPath, values))
    return { request: get(url, foreign(spec.downloadPath)) }
  }
  if (spec.downloadUrlPath === undefined) {
    if (answered.text === '' && answered.status !== 204)
      throw failed(resource, poll, 'it is done, and its body is empty')
    return { request: poll, answered }
  }
  const link = jsonPath(spec.downloadUrlPath.replace(/^body\./, '')).first(values.poll)
  if (typeof link === 'string' && link !== '') return { request: get(new URL(link, poll.url)) }
  throw new PipelineError(`the report is done, but has no address at "${spec.downloadUrlPath}"`, {
    code: 'SOURCE_INVALID',
    fix: 'correct downloadUrlPath',
  })
}

const failed = (resource: string, poll: RestRequest, why: string): PipelineError =>
  new PipelineError(`resource "${resource}": the report ${poll.url.pathname}: ${why}`, {
    code: 'HTTP_FAILED',
    resource,
    recovery: 'retry',
    fix: 'look at the report in the API; pollFor says how long to wait for it',
  })
