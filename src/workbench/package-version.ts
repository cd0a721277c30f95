import { readFileSync } from 'node:fs'

interface Manifest {
  version: string
  peerDependencies: Record<string, string>
}

const manifest = (): Manifest =>
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Manifest

/** The version of Sluice that runs here. */
export const packageVersion = (): string => manifest().version

/** The versions of other packages that it works with. */
export function driverVersions(names: readonly string[]): Record<string, string> {
  const { peerDependencies } = manifest()
  return Object.fromEntries(names.map((name) => [name, peerDependencies[name]!]))
}
