import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { PipelineError } from '../../errors/index.ts'

export const sslModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type SslMode = (typeof sslModes)[number]

/** As libpq: `require` encrypts, `verify-ca` also checks who vouches for the server, `verify-full` also its name. */
export function tlsOptions(mode: SslMode, rootCertificate: string | undefined): ConnectionOptions | false {
  const given = rootCertificate === undefined ? {} : { ca: readCertificate(rootCertificate) }
  const checksAuthority = mode === 'verify-ca' || (mode === 'require' && rootCertificate !== undefined)
  if (mode === 'disable') return false
  if (mode === 'verify-full') return { ...given, rejectUnauthorized: true }
  if (checksAuthority) return { ...given, rejectUnauthorized: true, checkServerIdentity: () => undefined }
  return { rejectUnauthorized: false }
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new PipelineError(`the certificate of sslrootcert cannot be read: ${(error as Error).message}`, {
      code: 'CONFIG_INVALID',
      fix: 'correct the path in sslrootcert',
      cause: error,
    })
  }
}
