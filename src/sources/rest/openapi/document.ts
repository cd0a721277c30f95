import { mostBytes, parseDocument, readBounded } from '../../../config/index.ts'
import { egressWithoutSecrets } from '../../../egress/index.ts'
import { PipelineError } from '../../../errors/index.ts'
import { excerpt } from '../../../masking/index.ts'
import { environmentProxies, readBytes, Transport } from '../http/transport.ts'

const largestDocument = 64 * 1024 * 1024

/** A node of a description, as it was parsed. */
export type Node = Record<string, unknown>

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** An OpenAPI 3 or Swagger 2 description whose references are followed where they are met. */
export class ApiDocument {
  readonly root: Node
  /** Where it came from, for a relative server address. */
  readonly place: string

  constructor(root: unknown, place: string) {
    if (!isNode(root) || !isNode(root.paths) || !('openapi' in root || 'swagger' in root)) {
      throw new PipelineError(`${place} is no OpenAPI description: it has no "openapi" or "swagger", or no "paths"`, {
        code: 'SOURCE_INVALID',
        fix: 'give an OpenAPI 3 or Swagger 2 file, as JSON or YAML',
      })
    }
    this.root = root
    this.place = place
  }

  /** A node, or what its `$ref` stands for; empty for one that leads nowhere or in circles. */
  at(value: unknown): Node {
    let node = value
    for (let hops = 0; isNode(node) && typeof node.$ref === 'string'; hops++) {
      if (hops > 20) return {}
      node = this.lookUp(node.$ref)
    }
    return isNode(node) ? node : {}
  }

  list(value: unknown): Node[] {
    return Array.isArray(value) ? value.map((one) => this.at(one)) : []
  }

  get isSwagger2(): boolean {
    return 'swagger' in this.root
  }

  /** Where the API is, as far as it says. */
  get baseUrl(): string | undefined {
    const { servers, host, schemes, basePath } = this.root
    if (this.isSwagger2) {
      if (typeof host !== 'string') return undefined
      const scheme = Array.isArray(schemes) && !schemes.includes('https') ? String(schemes[0]) : 'https'
      return trimmed(`${scheme}://${host}${typeof basePath === 'string' ? basePath : ''}`)
    }
    const [server] = this.list(servers)
    if (typeof server?.url !== 'string') return undefined
    const variables = this.at(server.variables)
    const url = server.url.replace(/\{([^{}]+)\}/g, (found, name: string) => {
      const { default: value } = this.at(variables[name])
      return value === undefined ? found : String(value)
    })
    if (/^https?:\/\//.test(url)) return trimmed(url)
    return URL.canParse(url, this.place) ? trimmed(new URL(url, this.place).href) : undefined
  }

  private lookUp(reference: string): unknown {
    // Other files are not followed: what stands there is told as not found.
    if (!reference.startsWith('#/')) return undefined
    const keys = reference
      .slice(2)
      .split('/')
      .map((key) => decoded(key, reference).replaceAll('~1', '/').replaceAll('~0', '~'))
    return keys.reduce<unknown>(
      (node, key) => (isNode(node) || Array.isArray(node) ? (node as Node)[key] : undefined),
      this.root,
    )
  }
}

/** A part of a reference, which is the fragment of a URL. */
function decoded(key: string, reference: string): string {
  try {
    return decodeURIComponent(key)
  } catch (cause) {
    throw new PipelineError(`the OpenAPI reference "${excerpt(reference, 200)}" has an invalid percent code`, {
      code: 'SOURCE_INVALID',
      fix: 'write a percent sign in a $ref as %25',
      cause,
    })
  }
}

/** A login in it is nobody's but the author's. */
const trimmed = (url: string): string => url.replace(/^(https?:\/\/)[^/?#@]*@/i, '$1').replace(/(?<!\/)\/+$/, '')

/** Reads a description from a file or an address, JSON or YAML. */
export async function readDocument(place: string): Promise<ApiDocument> {
  const text = /^https?:\/\//.test(place) ? await fetchText(place) : readText(place)
  if (!isJson(text) && text.length > mostBytes.yaml)
    throw new PipelineError(`${place} has more than ${mostBytes.yaml.toLocaleString('en')} bytes of YAML`, {
      code: 'LIMIT_EXCEEDED',
      fix: 'give the description as JSON, of which 64 MiB are read',
    })
  let root: unknown
  try {
    root = parseDocument(text, isJson(text) ? 'json' : 'yaml')
  } catch (error) {
    throw new PipelineError(`${place} is neither JSON nor YAML: ${(error as Error).message.split('\n')[0]}`, {
      code: 'SOURCE_INVALID',
      fix: 'give the description itself, not a page about it',
      cause: error,
    })
  }
  return new ApiDocument(root, place)
}

const isJson = (text: string): boolean => text.trimStart().startsWith('{')

function readText(path: string): string {
  try {
    return readBounded(path, mostBytes.json)
  } catch (error) {
    if (error instanceof PipelineError) throw error
    throw new PipelineError(`cannot read ${path}`, { code: 'WRONG_USE', fix: 'check the path', cause: error })
  }
}

async function fetchText(url: string): Promise<string> {
  const transport = new Transport(
    { baseUrl: url },
    {
      proxy: undefined,
      egress: egressWithoutSecrets(url, { byProxy: environmentProxies().length > 0 }),
      checkTarget: () => undefined,
    },
  )
  try {
    const request = { method: 'GET' as const, url: new URL(url), headers: {}, body: undefined }
    const answer = await transport.fetch(request, AbortSignal.timeout(60_000))
    if (answer.status === 200) return (await readBytes(answer, largestDocument)).toString()
    throw new PipelineError(`${url} answered ${answer.status}`, { code: 'HTTP_STATUS', fix: 'check the address' })
  } catch (error) {
    if (error instanceof PipelineError) throw error
    throw new PipelineError(`${url} cannot be read: ${(error as Error).message}`, {
      code: 'HTTP_FAILED',
      recovery: 'retry',
      fix: 'check the address and the network, then run again',
      cause: error,
    })
  }
}
