import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs'
import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { join } from 'node:path'
import { dataDir, PipelineError } from '../index.ts'
import { platformByName, platformOrigin } from '../sources/chats/registry.ts'
import { originsOf, readSourceSpec } from '../sources/rest/index.ts'
import { insideProject } from './project-path.ts'
import { projectSecrets } from './project-secrets.ts'

// An assistant can write the address of a source, so it could have a secret sent anywhere, or look into a private network. What
// it starts therefore sends a secret only where a person has said that it belongs. The list is not in the project, where
// assistants write.

const listPath = (): string => join(dataDir(), 'allowed-hosts.json')

type Allowed = Record<string, Record<string, string[]>>

function readAllowed(): Allowed {
  const path = listPath()
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Allowed) : {}
}

/** The origins that a source asks with its secrets, as its file and the settings say now. */
export async function sourceOrigins(projectDir: string, source: string): Promise<string[]> {
  const platform = await platformByName(source)
  if (platform !== undefined) return [platformOrigin(platform.docs, projectDir)]
  return originsOf(readSourceSpec(insideProject(projectDir, source)), projectDir)
}

/** A person allows the addresses that a source has now. Returns them. */
export async function allowHosts(projectDir: string, source: string): Promise<string[]> {
  const origins = await sourceOrigins(projectDir, source)
  const all = readAllowed()
  const project = (all[realpathSync(projectDir)] ??= {})
  project[source] = [...new Set([...(project[source] ?? []), ...origins])]
  mkdirSync(dataDir(), { recursive: true })
  writeFileSync(`${listPath()}.new`, JSON.stringify(all, null, 2), { mode: 0o600 })
  renameSync(`${listPath()}.new`, listPath())
  return origins
}

/** Throws where a source would have a secret sent to a place that nobody has allowed, or would look into a private network. */
export async function refuseUnknownHosts(projectDir: string, source: string): Promise<void> {
  const platform = await platformByName(source)
  const allowed = readAllowed()[realpathSync(projectDir)]?.[source] ?? []
  const hasSecrets = (await projectSecrets(projectDir, [source])).some(({ status }) => status === 'set')
  const led = platform === undefined ? alsoAsked(projectDir, source) : []
  for (const origin of led.filter((one) => !allowed.includes(one) && !isLoopback(one)))
    if (await isPrivate(origin)) throw refused(source, `${origin} is in a private network`)
  for (const origin of await sourceOrigins(projectDir, source)) {
    if (allowed.includes(origin) || origin === originOf(platform?.docs.baseUrl) || isLoopback(origin)) continue
    if (hasSecrets) throw refused(source, `its secrets would be sent to ${origin}, which nobody has allowed`)
    if (await isPrivate(origin)) throw refused(source, `${origin} is in a private network`)
  }
}

/** Hosts to which links of an API may lead; they get no secrets. */
const alsoAsked = (projectDir: string, source: string): string[] =>
  (readSourceSpec(insideProject(projectDir, source)).client.allowedHosts ?? []).map((host) => `http://${host}`)

const originOf = (address: string | undefined): string | undefined =>
  address === undefined ? undefined : new URL(address).origin

const refused = (source: string, why: string): PipelineError =>
  new PipelineError(`${source}: ${why}`, {
    code: 'WRONG_USE',
    fix: `if that is right, a person says so in their own terminal: sluice secrets allow ${source}`,
  })

/** This machine: nothing leaves it. */
function isLoopback(origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const host = new URL(origin).hostname
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

const privateNets = new BlockList()
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['0.0.0.0', 8],
] as const)
  privateNets.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  privateNets.addSubnet(net, bits, 'ipv6')

async function isPrivate(origin: string): Promise<boolean> {
  if (!URL.canParse(origin)) return true
  const host = new URL(origin).hostname.replace(/^\[|\]$/g, '')
  const addresses =
    isIP(host) > 0
      ? [host]
      : await lookup(host, { all: true }).then(
          (all) => all.map(({ address }) => address),
          () => [],
        )
  return addresses.some((address) => privateNets.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'))
}
