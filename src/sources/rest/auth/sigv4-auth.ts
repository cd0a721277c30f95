import { looksCopied } from '../../../config/index.ts'
import { withDriver } from '../../../errors/index.ts'
import { bodyText } from '../request.ts'
import type { Auth } from './auth.ts'
import type { SigV4Auth } from './auth-spec.ts'
import type { Settings } from './settings.ts'

/** AWS Signature Version 4, made by the package aws4. */
export function sigv4Auth(spec: SigV4Auth, settings: Settings): Auth {
  const accessKeyId = settings.secret(spec.accessKeyId, 'access_key_id')
  const secretAccessKey = settings.secret(spec.secretAccessKey, 'secret_access_key')
  const sessionToken = settings.optionalSecret(spec.sessionToken, 'session_token')
  const { service, region } = spec
  return {
    async apply(request) {
      const { default: aws4 } = await withDriver('signing requests for AWS', ['aws4'], () => import('aws4'))
      const body = bodyText(request)
      const contentType = request.data === undefined ? 'application/json' : request.data.contentType
      if (body !== null && contentType !== undefined) request.headers['content-type'] ??= contentType
      const signed = aws4.sign(
        {
          service,
          region,
          method: request.method,
          host: request.url.host,
          path: `${request.url.pathname}${request.url.search}`,
          headers: { ...request.headers },
          ...(body === null ? {} : { body }),
        },
        { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
      )
      for (const [name, value] of Object.entries(signed.headers ?? {})) {
        // `fetch` sets these itself, to the same values.
        if (!/^(host|content-length)$/i.test(name) && value !== undefined) request.headers[name] = String(value)
      }
    },
    refresh: () => false,
    looksCopied: looksCopied(secretAccessKey),
  }
}
