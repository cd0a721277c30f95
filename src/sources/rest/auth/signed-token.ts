import type { JWTPayload } from 'jose'
import { addToken, PipelineError, withDriver } from '../../../errors/index.ts'
import type { Auth } from './auth.ts'
import type { JwtAuth, JwtBearerAuth } from './auth-spec.ts'
import type { Settings } from './settings.ts'
import { bearer, endAfter, tokenAuth, type Token } from './token-auth.ts'

/** A token that is signed here: RFC 7519. */
export const jwtAuth = (spec: JwtAuth, settings: Settings): Auth =>
  tokenAuth(() => signedToken(spec, settings, undefined)({}), bearer, false)

/** Signs a token anew each time; `audience` is the one that is used when the spec names none. */
export function signedToken(
  spec: JwtAuth | JwtBearerAuth,
  settings: Settings,
  audience: string | undefined,
): (claims: JWTPayload) => Promise<Token> {
  // Keys in one line of an environment variable have their line ends written out.
  const key = settings.secret(spec.privateKey, 'private_key').replaceAll('\\n', '\n')
  const { algorithm = 'RS256', lifetime = 600 } = spec
  const text = (setting: JwtAuth['issuer']): string | undefined =>
    setting === undefined ? undefined : settings.text(setting)
  const [keyId, issuer, subject] = [spec.keyId, spec.issuer, spec.subject].map(text)
  return async (claims) => {
    const { importPKCS8, SignJWT } = await withDriver('signing tokens', ['jose'], () => import('jose'))
    const shared = algorithm.startsWith('HS')
    const signingKey = shared
      ? new TextEncoder().encode(key)
      : await importPKCS8(key, algorithm).catch((error: unknown) => {
          throw new PipelineError(`the private key does not fit ${algorithm}: ${(error as Error).message}`, {
            code: 'CONFIG_INVALID',
            fix: 'give a PKCS#8 key, which begins with -----BEGIN PRIVATE KEY-----; openssl pkcs8 -topk8 -nocrypt makes one',
          })
        })
    const token = new SignJWT({ ...claims, ...(settings.values(spec.claims ?? {}) as JWTPayload) })
      .setProtectedHeader({ alg: algorithm, typ: 'JWT', ...(keyId === undefined ? {} : { kid: keyId }) })
      .setIssuedAt()
      .setExpirationTime(`${lifetime}s`)
    if (issuer !== undefined) token.setIssuer(issuer)
    if (subject !== undefined) token.setSubject(subject)
    const to = spec.audience ?? audience
    if (to !== undefined) token.setAudience(to)
    const value = await token.sign(signingKey)
    addToken(value)
    return { value, endsAt: endAfter(lifetime) }
  }
}
