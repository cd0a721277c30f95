import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

const sources = (folder: string, ending: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter((path) => ending.test(path) && !path.startsWith('src/dashboard/app/'))

/** Names of packages that a module imports; what it writes for a user imports the package itself. */
function packagesOf(path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8')
  const named = text.matchAll(
    /^(?:import (?:[^'"\n]* from )?|(?:export [^'"\n]*|\}) from )['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"$]+)['"]/gm,
  )
  return [...named]
    .map(([, fixed, lazy]) => (fixed ?? lazy)!)
    .filter((name) => !/^[./]/.test(name) && !isBuiltin(name) && !/^sluice(\/|$)/.test(name))
    .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
}

it('the package declares whatever it imports', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
    peerDependencies: Record<string, string>
  }
  const declared = new Set([...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)])
  const paths = sources('src', /\.ts$/)
  const undeclared = paths.flatMap((path) =>
    packagesOf(path)
      .filter((name) => !declared.has(name))
      .map((name) => `${path}: ${name}`),
  )
  expect(undeclared).toEqual([])
  const imported = new Set(paths.flatMap(packagesOf))
  expect([...imported].sort()).toEqual(expect.arrayContaining(['zod', 'undici', 'yaml', 'pg']))
  expect(Object.keys(manifest.dependencies).filter((name) => !imported.has(name))).toEqual([])
})

it('the guard needs Node only', () => {
  for (const path of ['toolkits/guard.mjs', ...sources('toolkits/guard', /\.mjs$/)])
    expect(packagesOf(path)).toEqual([])
})
