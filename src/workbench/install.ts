import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { merge } from 'node-diff3'
import { replaceFile } from '../disk/index.ts'
import { PipelineError } from '../index.ts'
import { agentsBlock, guardFiles } from './common-files.ts'
import { hosts, type HostName, type OwnFile, type SharedFile } from './hosts/index.ts'
import { insideProject, readProjectFile } from './project-path.ts'
import type { Step } from './step.ts'
import { packageVersion } from './package-version.ts'
import { planShared, planSharedRemoval, type SharedStep } from './shared-files.ts'
import { readToolkits, type Toolkit } from './toolkit.ts'
import { indexPath, projectFileMode, readIndex, writeIndex, type WorkbenchIndex } from './workbench-index.ts'

export interface Plan {
  steps: Step[]
  index: WorkbenchIndex | undefined
}

export const installedToolkits = (projectDir: string): { name: string; version: string }[] => {
  const index = readIndex(projectDir)
  return (index?.toolkits ?? []).map((name) => ({ name, version: index!.version }))
}

/** What installing would do. `toolkits` and `hosts` are added to those that are there. */
export function planInstall(
  projectDir: string,
  wanted: { hosts: readonly HostName[]; toolkits: readonly string[]; overwrite?: boolean },
): Plan {
  const index = readIndex(projectDir) ?? emptyIndex()
  const hostNames = union(index.hosts, wanted.hosts)
  const toolkits = withDependencies(union(index.toolkits, wanted.toolkits))
  return planFor(projectDir, index, hostNames, toolkits, wanted.overwrite === true)
}

/** What taking out a toolkit, or everything, would do. */
export function planUninstall(projectDir: string, toolkit: string | undefined): Plan {
  const index = readIndex(projectDir)
  if (index === undefined) throw notInitialized()
  const all = readToolkits()
  if (toolkit !== undefined && !index.toolkits.includes(toolkit)) {
    throw new PipelineError(`the toolkit "${toolkit}" is not installed`, {
      code: 'WRONG_USE',
      fix: `installed are: ${index.toolkits.join(', ')}`,
    })
  }
  const needing = all.filter(
    ({ name, dependencies }) =>
      index.toolkits.includes(name) && toolkit !== undefined && dependencies.includes(toolkit),
  )
  if (toolkit === undefined || toolkit === 'init') return planRemoval(projectDir, index)
  if (needing.length > 0) {
    throw new PipelineError(`"${toolkit}" is needed by ${needing.map(({ name }) => name).join(', ')}`, {
      code: 'WRONG_USE',
      fix: `uninstall that first: sluice ai toolkit uninstall ${needing[0]!.name}`,
    })
  }
  return planFor(
    projectDir,
    index,
    index.hosts,
    withDependencies(index.toolkits.filter((name) => name !== toolkit)),
    false,
  )
}

export const notInitialized = (): PipelineError =>
  new PipelineError('this project has no workbench yet', { code: 'WRONG_USE', fix: 'sluice ai init --agent claude' })

const emptyIndex = (): WorkbenchIndex => ({ version: packageVersion(), hosts: [], toolkits: [], files: {}, shared: {} })
const union = <T>(a: readonly T[], b: readonly T[]): T[] => [...new Set([...a, ...b])]

function withDependencies(names: readonly string[]): Toolkit[] {
  const all = readToolkits()
  const needed = new Set<string>()
  const add = (name: string): void => {
    const toolkit = all.find((one) => one.name === name)
    if (toolkit === undefined) {
      throw new PipelineError(`there is no toolkit "${name}"`, {
        code: 'WRONG_USE',
        fix: `use one of: ${all.map((one) => one.name).join(', ')}`,
      })
    }
    needed.add(name)
    for (const one of toolkit.dependencies) add(one)
  }
  for (const name of ['init', ...names]) add(name)
  return all.filter(({ name }) => needed.has(name))
}

function planFor(
  projectDir: string,
  index: WorkbenchIndex,
  hostNames: readonly HostName[],
  toolkits: readonly Toolkit[],
  overwrite: boolean,
): Plan {
  const chosen = hostNames.map((name) => hosts[name])
  const own: OwnFile[] = [
    ...guardFiles().map((file) => ({ ...file, toolkit: 'init' })),
    ...chosen.flatMap((host) => toolkits.flatMap((toolkit) => host.files(toolkit))),
  ]
  const shared = sharedFiles(toolkits, hostNames)
  const next: WorkbenchIndex = {
    version: packageVersion(),
    hosts: [...hostNames],
    toolkits: toolkits.map(({ name }) => name),
    files: {},
    shared: {},
  }
  const steps = own.map((file) => planFile(projectDir, index, next, file, overwrite))
  for (const path of Object.keys(index.files))
    if (!own.some((file) => file.path === path)) steps.push(planDeletion(projectDir, index, path))
  for (const file of shared) {
    const step = planShared(projectDir, file, index.shared[file.path], overwrite)
    if (step.record !== undefined) next.shared[file.path] = step.record
    steps.push(asStep(step))
  }
  return { steps, index: next }
}

const sharedFiles = (toolkits: readonly Toolkit[], hostNames: readonly HostName[]): SharedFile[] => [
  { path: 'AGENTS.md', kind: 'block', marks: 'markdown', text: agentsBlock(toolkits, hostNames) },
  { path: '.gitignore', kind: 'block', marks: 'hash', text: '.sluice/secrets.toml\n.sluice/*.secrets.toml' },
  ...hostNames.flatMap((name) => hosts[name].shared(toolkits)),
]

function planRemoval(projectDir: string, index: WorkbenchIndex): Plan {
  const toolkits = withDependencies(index.toolkits)
  const shared = sharedFiles(toolkits, index.hosts)
  return {
    steps: [
      ...Object.keys(index.files).map((path) => planDeletion(projectDir, index, path)),
      ...shared.map((file) => asStep(planSharedRemoval(projectDir, file, index.shared[file.path]))),
      { path: indexPath, action: 'delete' },
    ],
    index: undefined,
  }
}

const asStep = ({ path, action, text, detail }: SharedStep): Step => ({
  path,
  action,
  ...(text === undefined ? {} : { text }),
  ...(detail === undefined ? {} : { detail }),
})

function planFile(
  projectDir: string,
  { files }: WorkbenchIndex,
  next: WorkbenchIndex,
  { path, text, toolkit }: OwnFile,
  overwrite: boolean,
): Step {
  const base = files[path]?.text
  const current = readProjectFile(projectDir, path)
  const installed = (step: Omit<Step, 'path'>, kept = text): Step => {
    next.files[path] = { toolkit, text: kept }
    return { path, ...step }
  }
  if (current === text) return installed({ action: 'unchanged' })
  if (overwrite) return installed({ action: current === undefined ? 'create' : 'update', text })
  if (current === undefined) {
    if (base === undefined) return installed({ action: 'create', text })
    return installed({ action: 'kept', detail: 'you deleted it; --overwrite brings it back' }, base)
  }
  if (base === undefined) return { path, action: 'kept', detail: 'a file of yours; --overwrite replaces it' }
  if (current === base) return installed({ action: 'update', text })
  if (base === text) return installed({ action: 'yours', detail: 'edited by you, nothing new' })
  const lines = (one: string): string[] => one.split('\n')
  const { conflict, result } = merge(lines(current), lines(base), lines(text))
  if (!conflict)
    return installed({ action: 'merge', text: result.join('\n'), detail: 'your edits and the new version' })
  return installed({ action: 'conflict', detail: 'yours stays; see: sluice ai toolkit diff' }, base)
}

function planDeletion(projectDir: string, { files }: WorkbenchIndex, path: string): Step {
  const current = readProjectFile(projectDir, path)
  if (current === undefined) return { path, action: 'unchanged', detail: 'gone already' }
  if (current === files[path]!.text) return { path, action: 'delete' }
  return { path, action: 'kept', detail: 'edited by you, so it stays' }
}

/** Does what a plan says. */
export function apply(projectDir: string, { steps, index }: Plan): void {
  for (const { path, action, text } of steps) {
    const file = insideProject(projectDir, path)
    if (action === 'delete') {
      rmSync(file, { force: true })
      removeEmptyFolders(projectDir, dirname(file))
    } else if (text !== undefined) {
      mkdirSync(dirname(file), { recursive: true })
      replaceFile(file, text, { mode: projectFileMode })
    }
  }
  if (index !== undefined) writeIndex(projectDir, index)
}

function removeEmptyFolders(projectDir: string, folder: string): void {
  const top = insideProject(projectDir, '.')
  for (let current = folder; current !== top && current.startsWith(top); current = dirname(current)) {
    if (!existsSync(current) || readdirSync(current).length > 0) return
    rmdirSync(current)
  }
}

/** Whether a plan would change anything on disk. */
export const changesSomething = ({ steps }: Plan): boolean =>
  steps.some(({ action, text }) => action === 'delete' || text !== undefined)
