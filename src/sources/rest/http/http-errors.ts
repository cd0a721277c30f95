import { excerpt, PipelineError } from '../../../errors/index.ts'
import type { Auth } from '../auth/index.ts'
import type { NotInFormat } from '../formats/index.ts'
import type { RestRequest } from '../request.ts'

/** Method and address without its query: parameters may hold keys. */
export const requestName = ({ method, url }: RestRequest): string => `${method} ${url.origin}${url.pathname}`

interface Failure {
  request: RestRequest
  status: number
  text: string
  resource: string
  attempts: number
  auth: Auth | undefined
}

/** An answer with an error status, in two lines that say what to do. */
export function errorForStatus(failure: Failure): PipelineError {
  const { request, status, text, resource, attempts } = failure
  const said = bodyMessage(text)
  const tried = attempts > 1 ? ` after ${attempts} attempts` : ''
  return new PipelineError(
    `resource "${resource}": ${requestName(request)} answered ${status}${tried}${said === '' ? '' : `: ${said}`}`,
    {
      code: 'HTTP_STATUS',
      resource,
      recovery: status === 429 || status < 400 || status >= 500 ? 'retry' : 'abort',
      fix: fixFor(failure),
      cause: { status },
    },
  )
}

/** A write that was refused in a response of status 2xx; `cause` has the status that it counts as. */
export const errorInBody = (failure: Omit<Failure, 'text'> & { stated: number; said: string }): PipelineError => {
  const { request, status, stated, said, resource, attempts, auth } = failure
  const tried = attempts > 1 ? ` after ${attempts} attempts` : ''
  return new PipelineError(
    `resource "${resource}": ${requestName(request)} answered ${status} with an error${tried}${said === '' ? '' : `: ${said}`}`,
    {
      code: 'HTTP_STATUS',
      resource,
      recovery: stated === 429 || stated >= 500 ? 'retry' : 'abort',
      fix: fixFor({ status: stated, auth }),
      cause: { status: stated },
    },
  )
}

function fixFor({ status, auth }: Pick<Failure, 'status' | 'auth'>): string {
  switch (status) {
    case 401:
      return auth?.looksCopied === true
        ? 'the key is still the example from the documentation: set your own with sluice secrets set <key>'
        : 'check the key: it is missing, mistyped or revoked'
    case 403:
      return 'the key is valid but may not read this: check its rights and the plan of the account'
    case 404:
      return 'check the path and the ids in it; to go on without missing ones, add responseActions: [{ statusCode: 404, action: "ignore" }]'
    case 429:
      return 'the API wants fewer requests: set client.rateLimit, or run again later'
    case 304:
      return 'the server says that nothing has changed: take If-None-Match and If-Modified-Since out of the headers, or take the status for no rows with responseActions: [{ statusCode: 304, action: "ignore" }]'
    default:
      if (status < 400) return 'the redirect names no address to go to: check the base URL and the path, then run again'
      return status >= 500
        ? 'the server is in trouble: run again later, nothing was half-loaded'
        : 'the API refuses the request: compare its parameters with the documentation'
  }
}

/** What the server says about an error: the message of a JSON body, or the beginning of a text. */
function bodyMessage(text: string): string {
  const short = (message: string): string => excerpt(message.replace(/\s+/g, ' ').trim(), 160)
  try {
    const body = JSON.parse(text) as Record<string, unknown> | null
    const error = body?.error
    const inner = typeof error === 'object' && error !== null ? (error as Record<string, unknown>).message : error
    const message = body?.message ?? inner
    return typeof message === 'string' ? short(message) : ''
  } catch {
    return /<\w/.test(text) ? '' : short(text)
  }
}

/** A response action said so. */
export function actionFailed(
  request: RestRequest,
  resource: string,
  status: number,
  message: string | undefined,
  attempts: number,
): PipelineError {
  const tried = attempts > 1 ? ` after ${attempts} attempts` : ''
  const said = message === undefined ? '' : `: ${message}`
  return new PipelineError(`resource "${resource}": ${requestName(request)} answered ${status}${tried}${said}`, {
    code: 'HTTP_STATUS',
    resource,
    fix: 'a response action of the source ends the run here; see what the API says, or change the action',
    cause: { status },
  })
}

/** The status is good, the content is not. */
export const notAPage = (failure: {
  request: RestRequest
  status: number
  resource: string
  fault: string
  attempts: number
}): PipelineError => {
  const { request, status, resource, fault, attempts } = failure
  const tried = attempts > 1 ? ` after ${attempts} attempts` : ''
  return new PipelineError(`resource "${resource}": ${requestName(request)} answered ${status} with ${fault}${tried}`, {
    code: 'HTTP_NOT_A_PAGE',
    resource,
    recovery: 'retry',
    fix: 'run again later: nothing was half-loaded. If this is how the API ends a list, say so: requireSelector: false where it leaves the list out, or a response action (accept or ignore)',
    cause: { status },
  })
}

export function notInFormat(
  request: RestRequest,
  resource: string,
  contentType: string | null,
  cause: NotInFormat,
  attempts: number,
): PipelineError {
  const type = contentType ?? 'no content type'
  return new PipelineError(
    `resource "${resource}": ${requestName(request)} answered with ${cause.message} (${type}) after ${attempts} attempts`,
    {
      code: 'HTTP_NOT_JSON',
      resource,
      recovery: 'retry',
      fix: 'check the base URL and the format; a login or maintenance page in between answers like this',
      cause,
    },
  )
}

/** `what` must not hold values: they may be secrets. */
export const unsendable = (request: RestRequest, what: string, cause?: unknown): PipelineError =>
  new PipelineError(`${requestName(request)} cannot be sent: ${what}`, {
    code: 'SOURCE_INVALID',
    fix: 'correct the address, headers and body that the source gives for this request',
    cause,
  })

export const requestFailed = (
  request: RestRequest,
  resource: string,
  reason: string,
  attempts: number,
  cause: unknown,
): PipelineError =>
  new PipelineError(`resource "${resource}": ${requestName(request)} failed after ${attempts} attempts: ${reason}`, {
    code: 'HTTP_FAILED',
    resource,
    recovery: 'retry',
    fix: 'check the network and the base URL, then run again; nothing was half-loaded',
    cause,
  })
