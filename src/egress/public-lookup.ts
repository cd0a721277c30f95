import { lookup, type LookupAddress, type LookupAllOptions } from 'node:dns'
import { lookup as lookUp } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { PipelineError } from '../errors/index.ts'
import { hostKind, isLoopbackHost, isPublicAddress } from './addresses.ts'

type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void

/**
 * Resolves names for connections that may only lead to the public internet. Whoever connects uses the addresses that were
 * checked: a name cannot lead elsewhere a moment later. `isAllowed` says which hosts a person has named.
 */
export const publicLookup =
  (isAllowed: (host: string) => boolean, resolve: Resolve = lookup): LookupFunction =>
  (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, [])
      const wrong = isAllowed(hostname) ? undefined : found.find(({ address }) => !mayConnect(hostname, address))
      if (wrong !== undefined) return callback(privateNetwork(hostname), [])
      if (options.all === true) return callback(null, found)
      callback(null, found[0]!.address, found[0]!.family)
    })
  }

const mayConnect = (hostname: string, address: string): boolean =>
  isLoopbackHost(hostname) ? isLoopbackHost(address) : isPublicAddress(address)

/**
 * Throws `HOST_NOT_ALLOWED` for a host that is not in the public internet, or this machine by name. For connections that go by a
 * proxy, which resolves names itself: one that cannot be resolved here could lead anywhere there.
 */
export async function refusePrivate(host: string, byProxy: boolean): Promise<void> {
  const kind = hostKind(host)
  if (kind === 'private' || kind === 'invalid') throw privateNetwork(host)
  if (kind !== 'name') return
  const found = await lookUp(host, { all: true }).catch(() => undefined)
  if (found === undefined ? byProxy : found.some(({ address }) => !isPublicAddress(address))) throw privateNetwork(host)
}

const privateNetwork = (host: string): PipelineError =>
  new PipelineError(`${host} is in a private network, or cannot be shown to be in the public one`, {
    code: 'HOST_NOT_ALLOWED',
    fix: 'if an assistant is to ask it, a person says so in their own terminal: sluice secrets allow <source>',
  })
