import type { ApiDocument, Node } from './document.ts'

/** The way to log in that most operations take; `undefined` when the description names none that is known here. */
export function inferAuth(document: ApiDocument): Record<string, unknown> | undefined {
  const schemes = document.at(
    document.isSwagger2 ? document.root.securityDefinitions : document.at(document.root.components).securitySchemes,
  )
  const wanted = inOrderOfUse(document).filter((name) => name in schemes)
  // What no operation takes may still be a way; what they take comes first.
  return simplestOf(document, schemes, wanted) ?? simplestOf(document, schemes, Object.keys(schemes))
}

function simplestOf(
  document: ApiDocument,
  schemes: Node,
  names: readonly string[],
): Record<string, unknown> | undefined {
  const known = names.map((name) => authOf(document.at(schemes[name]))).filter((one) => one !== undefined)
  return known.toSorted((a, b) => simplicity(a) - simplicity(b))[0]
}

/** A key is simpler to come by than a login; of equals, the one that most operations take. */
const simplest = ['bearer', 'api_key', 'http_basic', 'http_digest', 'oauth2_client_credentials']
const simplicity = ({ type }: Record<string, unknown>): number => {
  const at = simplest.indexOf(String(type))
  return at < 0 ? simplest.length : at
}

function inOrderOfUse(document: ApiDocument): string[] {
  const uses = new Map<string, number>()
  const count = (security: unknown): void => {
    for (const name of document.list(security).flatMap(Object.keys)) uses.set(name, (uses.get(name) ?? 0) + 1)
  }
  count(document.root.security)
  for (const item of Object.values(document.root.paths as Node)) {
    for (const operation of Object.values(document.at(item))) count(document.at(operation).security)
  }
  return [...uses].sort(([, a], [, b]) => b - a).map(([name]) => name)
}

const secret = (key: string): { secret: string } => ({ secret: key })

function authOf(scheme: Node): Record<string, unknown> | undefined {
  const kind = String(scheme.scheme ?? '').toLowerCase()
  switch (scheme.type) {
    case 'http':
      if (kind === 'bearer') return { type: 'bearer', token: secret('token') }
      if (kind === 'basic') return { type: 'http_basic', username: secret('username'), password: secret('password') }
      if (kind === 'digest') return { type: 'http_digest', username: secret('username'), password: secret('password') }
      return undefined
    case 'basic':
      return { type: 'http_basic', username: secret('username'), password: secret('password') }
    case 'apiKey':
      return apiKey(scheme)
    case 'oauth2':
      return oauth2(scheme)
    default:
      return undefined
  }
}

function apiKey({ name, in: place, description }: Node): Record<string, unknown> {
  const key = { type: 'api_key', name, api_key: secret('api_key') }
  if (place !== 'header') return { ...key, location: place }
  if (!/^authorization$/i.test(String(name))) return key
  // Described as a key in a header because Swagger 2 knows no bearer; the text tells the word before it.
  const word = /\b(Bearer|Token|Basic|ApiKey|Api-Key|SSWS|OAuth)\b(?=\s+[<{[\w$])/.exec(String(description ?? ''))?.[1]
  if (word === 'Bearer') return { type: 'bearer', token: secret('token') }
  return word === undefined ? key : { ...key, scheme: word }
}

function oauth2(scheme: Node): Record<string, unknown> | undefined {
  const flows = (scheme.flows ?? { [flowNames[String(scheme.flow)] ?? 'none']: scheme }) as Record<string, Node>
  const credentials = flows.clientCredentials
  if (credentials !== undefined) {
    return {
      type: 'oauth2_client_credentials',
      access_token_url: credentials.tokenUrl,
      client_id: secret('client_id'),
      client_secret: secret('client_secret'),
    }
  }
  const code = flows.authorizationCode
  // What a browser or a password brings is a bearer token in the end.
  if (code === undefined) return { type: 'bearer', token: secret('token') }
  const reads = Object.keys((code.scopes ?? {}) as Node).filter((scope) => /read|view|list|\.get/i.test(scope))
  return {
    type: 'oauth2_authorization_code',
    authorization_url: code.authorizationUrl,
    access_token_url: code.tokenUrl,
    client_id: secret('client_id'),
    client_secret: secret('client_secret'),
    ...(reads.length === 0 || reads.length > 20 ? {} : { scope: reads.join(' ') }),
  }
}

/** Swagger 2's names of the flows. */
const flowNames: Record<string, string> = { application: 'clientCredentials', accessCode: 'authorizationCode' }
