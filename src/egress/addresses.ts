import { BlockList, isIP } from 'node:net'

// IANA's registries of special-purpose addresses: what is not globally reachable, and what carries another address inside.

const notPublic = new BlockList()
for (const net of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10', // carriers
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local: metadata of clouds
  '172.16.0.0/12',
  '192.0.0.0/24', // protocols: metadata of one cloud
  '192.0.2.0/24',
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
]) {
  const [address, bits] = net.split('/') as [string, string]
  notPublic.addSubnet(address, Number(bits), 'ipv4')
}
for (const net of [
  '2001::/23', // protocols, with Teredo
  '2001:db8::/32',
  '2002::/16', // 6to4: an IPv4 address inside
  '3fff::/20',
]) {
  const [address, bits] = net.split('/') as [string, string]
  notPublic.addSubnet(address, Number(bits), 'ipv6')
}
/** The only block of which global addresses are given. NAT64, loopback, unspecified, local and multicast are outside of it. */
const globalUnicast = new BlockList()
globalUnicast.addSubnet('2000::', 3, 'ipv6')

const mapped = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([\da-f]{1,4}):([\da-f]{1,4}))$/

/** Whether an IP address belongs to a machine of the public internet, as text: `8.8.8.8`, `2606:4700::1111`. */
export function isPublicAddress(text: string): boolean {
  const address = text.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  const family = isIP(address)
  if (family === 4) return !notPublic.check(address, 'ipv4')
  if (family !== 6) return false
  const [, dotted, high, low] = mapped.exec(hostOf(`[${address}]`) ?? '') ?? []
  if (dotted !== undefined) return isPublicAddress(dotted)
  if (high !== undefined) return isPublicAddress(dottedFrom(high, low!))
  return globalUnicast.check(address, 'ipv6') && !notPublic.check(address, 'ipv6')
}

function dottedFrom(high: string, low: string): string {
  const [left, right] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return [left >> 8, left & 255, right >> 8, right & 255].join('.')
}

/** The one spelling of a host: `2130706433`, `0x7f.1` and `127.1` are `127.0.0.1`. No brackets, no dot at the end. */
export function hostOf(text: string): string | undefined {
  const given = isIP(text) === 6 ? `[${text}]` : text
  const href = `http://${given}/`
  if (/[\s/?#@\\]/.test(given) || !URL.canParse(href)) return undefined
  const { hostname, port } = new URL(href)
  return port === '' && hostname !== '' ? hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '') : undefined
}

/** Whether a host is this machine by its very text; a name that only leads here is not. */
export function isLoopbackHost(text: string): boolean {
  const host = hostOf(text)
  if (host === undefined) return false
  if (host === 'localhost' || host.endsWith('.localhost') || host === '::1') return true
  const [, dotted, high] = mapped.exec(host) ?? []
  if (high !== undefined) return Number.parseInt(high, 16) >> 8 === 127
  return /^127\.\d+\.\d+\.\d+$/.test(dotted ?? host)
}

/** What the text of a host says about where it is. A name has to be looked up first. */
export function hostKind(text: string): 'loopback' | 'private' | 'public' | 'name' | 'invalid' {
  const host = hostOf(text)
  if (host === undefined) return 'invalid'
  if (isLoopbackHost(host)) return 'loopback'
  if (isIP(host) === 0) return 'name'
  return isPublicAddress(host) ? 'public' : 'private'
}
