import { PipelineError } from '../index.ts'
import { projectSecrets } from '../workbench/project-secrets.ts'
import { detectHosts, hosts, hostsNamed, type HostName } from '../workbench/hosts/index.ts'
import { apply, changesSomething, notInitialized, planInstall, planUninstall, type Plan } from '../workbench/install.ts'
import { lineDiff } from '../workbench/line-diff.ts'
import { packageVersion } from '../workbench/package-version.ts'
import { readProjectFile } from '../workbench/project-path.ts'
import type { Action, Step } from '../workbench/step.ts'
import { readToolkits, type Toolkit } from '../workbench/toolkit.ts'
import { readIndex } from '../workbench/workbench-index.ts'
import { done, failed, printJson, program, type CommandResult } from './command.ts'
import { clean, count, plural, style, wrap } from './style.ts'

// What `sluice ai` says of the workbench.

interface Options {
  agent: string | undefined
  dryRun: boolean
  overwrite: boolean
  json: boolean
  onlyMcp?: boolean
}

const here = (): string => process.cwd()
const wrongUse = (message: string, fix: string): PipelineError => new PipelineError(message, { code: 'WRONG_USE', fix })

/** `sluice ai init`, `sluice ai mcp install` */
export function init(options: Options): CommandResult {
  const names = chosenHosts(options.agent)
  const plan = planInstall(here(), { hosts: names, toolkits: ['init'], overwrite: options.overwrite })
  return carryOut(options.onlyMcp === true ? onlyMcp(plan, names) : plan, options, () => afterInstall(names))
}

const mcpFiles = new Set(['.mcp.json', '.cursor/mcp.json', '.codex/config.toml', '.vscode/mcp.json'])

/** The entries of the server, and the index of them; nothing else. */
function onlyMcp({ steps, index }: Plan, names: readonly HostName[]): Plan {
  const before = readIndex(here())
  const shared = Object.entries(index!.shared).filter(
    ([path]) => mcpFiles.has(path) || before?.shared[path] !== undefined,
  )
  return {
    steps: steps.filter(({ path }) => mcpFiles.has(path)),
    index: {
      version: before?.version ?? index!.version,
      toolkits: before?.toolkits ?? [],
      files: before?.files ?? {},
      hosts: [...new Set([...(before?.hosts ?? []), ...names])],
      shared: Object.fromEntries(shared),
    },
  }
}

function chosenHosts(agent: string | undefined): HostName[] {
  if (agent !== undefined) return hostsNamed(agent)
  const known = readIndex(here())?.hosts ?? []
  const found = known.length > 0 ? known : detectHosts(here())
  if (found.length > 0) return [...found]
  throw wrongUse('it cannot be told which assistant you use', 'say it: sluice ai init --agent claude')
}

function afterInstall(names: readonly HostName[]): string[] {
  return [
    ...names.map((name) => `next: ${hosts[name].restart}`),
    `then: ${program} ai toolkit rest-api-pipeline install`,
  ]
}

/** `sluice ai toolkit …`, with the name before or after the action. */
export async function toolkit(words: readonly string[], options: Options): Promise<CommandResult> {
  const actions = ['list', 'info', 'install', 'update', 'diff', 'uninstall']
  const action = words.find((word) => actions.includes(word)) ?? (words.length === 0 ? 'list' : 'info')
  const names = words.filter((word) => word !== action)
  switch (action) {
    case 'list':
      return list(options.json)
    case 'info':
      return info(named(names[0]), options.json)
    case 'install': {
      const [first] = names
      if (first === undefined) throw wrongUse('toolkit install: which one?', 'see: sluice ai toolkit list')
      const hostNames = chosenHosts(options.agent)
      const plan = planInstall(here(), { hosts: hostNames, toolkits: names, overwrite: options.overwrite })
      const { entrySkill } = named(first)
      return carryOut(plan, options, () => [`next: restart the session, then begin with the skill /${entrySkill}`])
    }
    case 'update': {
      if (readIndex(here()) === undefined) throw notInitialized()
      return carryOut(planInstall(here(), { hosts: [], toolkits: [], overwrite: options.overwrite }), options, () => [])
    }
    case 'diff':
      return diff(options.json)
    default:
      return carryOut(planUninstall(here(), names[0]), options, () => [])
  }
}

function named(name: string | undefined): Toolkit {
  const all = readToolkits()
  const found = all.find((one) => one.name === name)
  if (found !== undefined) return found
  throw wrongUse(`there is no toolkit "${name ?? ''}"`, `use one of: ${all.map((one) => one.name).join(', ')}`)
}

function list(json: boolean): CommandResult {
  const installed = readIndex(here())?.toolkits ?? []
  const rows = readToolkits().map(({ name, description, skills, entrySkill }) => ({
    name,
    description,
    skills: skills.length,
    beginsWith: entrySkill,
    installed: installed.includes(name),
  }))
  if (json) printJson(rows)
  else {
    for (const { name, description, installed: is } of rows)
      console.log(`${is ? style.done('✓') : ' '} ${style.strong(name.padEnd(18))} ${clean(description, 59)}`)
    console.log(style.faint(`\n✓ is installed; to install one: ${program} ai toolkit <name> install`))
  }
  return done
}

function info(
  { name, description, dependencies, skills, commands, rules, entrySkill }: Toolkit,
  json: boolean,
): CommandResult {
  if (json) {
    printJson({
      name,
      description,
      version: packageVersion(),
      dependencies,
      entrySkill,
      skills: skills.map((one) => ({ name: one.name, description: one.description })),
      commands: commands.map((one) => one.name),
      rules: rules.map((one) => one.name),
    })
    return done
  }
  console.log(`${style.strong(name)} ${packageVersion()}: ${description}\n`)
  for (const one of skills) {
    const lines = wrap(one.description, 76)
    console.log(`  /${one.name}\n    ${style.faint(lines.join('\n    '))}`)
  }
  if (commands.length > 0) console.log(`\ncommands   ${commands.map((one) => `/${one.name}`).join(', ')}`)
  if (rules.length > 0) console.log(`rules      ${rules.map((one) => one.name).join(', ')}`)
  console.log(`begins with /${entrySkill}`)
  return done
}

/** Does a plan, or says what it would do. */
function carryOut(plan: Plan, options: Options, next: () => string[]): CommandResult {
  if (!options.dryRun) apply(here(), plan)
  const conflicts = plan.steps.filter(({ action }) => action === 'conflict')
  if (options.json) {
    const steps = plan.steps.map(({ path, action, detail }) => ({
      path,
      action,
      ...(detail === undefined ? {} : { detail }),
    }))
    printJson({ dryRun: options.dryRun, steps })
  } else {
    console.log(planText(plan.steps, options.dryRun))
    if (!options.dryRun && changesSomething(plan)) for (const line of next()) console.log(line)
  }
  return conflicts.length > 0 ? failed : done
}

const verbs: Record<Action, string> = {
  create: 'new',
  update: 'changed',
  merge: 'merged',
  unchanged: 'as it was',
  yours: 'yours',
  conflict: 'conflict',
  kept: 'kept',
  delete: 'deleted',
}

const colours: Partial<Record<Action, (text: string) => string>> = {
  create: style.done,
  update: style.done,
  merge: style.done,
  conflict: style.failed,
  kept: style.waiting,
  delete: style.waiting,
}

/** Files that stay as they are are only counted, and so are many in one folder with which the same happens. */
function planText(steps: readonly Step[], dryRun: boolean): string {
  const silent = steps.filter(({ action, detail }) => action === 'unchanged' && detail === undefined)
  const groups = new Map<string, Step[]>()
  for (const step of steps) {
    if (silent.includes(step)) continue
    const folder = step.path.split('/').slice(0, 2).join('/')
    const key = step.detail === undefined ? `${step.action} ${folder}` : `${step.action} ${step.path}`
    groups.set(key, [...(groups.get(key) ?? []), step])
  }
  const lines = [...groups.values()].map((group) => {
    const [{ path, action, detail }] = group as [Step]
    const shown =
      group.length === 1 ? path : `${path.split('/').slice(0, 2).join('/')}/  ${plural(group.length, 'file')}`
    const line = `  ${(colours[action] ?? style.faint)(verbs[action].padEnd(9))} ${clean(shown, 66)}`
    return detail === undefined ? line : `${line}\n            ${style.faint(clean(detail, 66))}`
  })
  const rest = silent.length === 0 ? [] : [style.faint(`  ${plural(silent.length, 'file')} as before`)]
  const dry = dryRun ? [style.faint('nothing was written: this is what it would do')] : []
  return [...lines, ...rest, '', ...dry].join('\n').trimEnd()
}

/** `sluice ai toolkit diff`: files that are not as this version of the package has them. */
function diff(json: boolean): CommandResult {
  const index = readIndex(here())
  if (index === undefined) throw notInitialized()
  const wanted = planInstall(here(), { hosts: [], toolkits: [], overwrite: true })
  const changed = wanted.steps.flatMap(({ path, action, text }) => {
    if (text === undefined || action === 'unchanged') return []
    return [{ path, yours: readProjectFile(here(), path), ours: text }]
  })
  if (json) printJson(changed.map(({ path, yours, ours }) => ({ path, diff: lineDiff(yours ?? '', ours) })))
  else if (changed.length === 0) console.log('all files are as this version of the package has them')
  else
    for (const { path, yours, ours } of changed) {
      console.log(style.strong(path) + (yours === undefined ? style.faint('  (you deleted it)') : ''))
      for (const line of lineDiff(yours ?? '', ours)) {
        const paint = line.startsWith('-') ? style.failed : line.startsWith('+') ? style.done : style.faint
        console.log(paint(clean(line, 80)))
      }
      console.log()
    }
  return done
}

interface Warning {
  code: string
  message: string
  fix: string
}

/** `sluice ai status` */
export async function status(json: boolean): Promise<CommandResult> {
  const index = readIndex(here())
  const secrets = await projectSecrets(here())
  const missing = secrets.filter((one) => one.status !== 'set')
  const plan = index === undefined ? undefined : planInstall(here(), { hosts: [], toolkits: [] })
  const edited = plan?.steps.filter(({ action }) => action === 'yours' || action === 'merge') ?? []
  const warnings: Warning[] = []
  if (index === undefined)
    warnings.push({ code: 'not_initialized', message: 'this project has no workbench yet', fix: 'sluice ai init' })
  else {
    if (!index.toolkits.some((name) => name !== 'init'))
      warnings.push({
        code: 'no_toolkits',
        message: 'no toolkit is installed',
        fix: 'sluice ai toolkit rest-api-pipeline install',
      })
    if (plan !== undefined && changesSomething(plan))
      warnings.push({
        code: 'outdated',
        message: 'files are not as this version of Sluice has them',
        fix: 'sluice ai toolkit update',
      })
  }
  const facts = {
    version: packageVersion(),
    installedVersion: index?.version ?? null,
    agents: index?.hosts ?? [],
    detected: detectHosts(here()),
    toolkits: index?.toolkits ?? [],
    editedFiles: edited.map(({ path }) => path),
    missingSecrets: missing.map(({ key }) => key),
    warnings,
  }
  if (json) printJson(facts)
  else console.log(statusText(facts))
  return done
}

function statusText(facts: {
  version: string
  installedVersion: string | null
  agents: readonly HostName[]
  detected: readonly HostName[]
  toolkits: readonly string[]
  editedFiles: readonly string[]
  missingSecrets: readonly string[]
  warnings: readonly Warning[]
}): string {
  const row = (name: string, text: string): string => `${name.padEnd(10)} ${wrap(text, 66).join(`\n${' '.repeat(11)}`)}`
  const titles = (names: readonly HostName[]): string => names.map((name) => hosts[name].title).join(', ')
  const { agents, detected, toolkits, editedFiles, missingSecrets, warnings } = facts
  return [
    row('sluice', facts.version),
    row('agents', agents.length === 0 ? `none; used here: ${titles(detected) || 'none'}` : titles(agents)),
    row('toolkits', toolkits.length === 0 ? 'none' : toolkits.join(', ')),
    ...(editedFiles.length === 0
      ? []
      : [row('edited', `${count(editedFiles.length)} by you: ${editedFiles.slice(0, 3).join(', ')}`)]),
    row('secrets', missingSecrets.length === 0 ? 'none is missing' : `not set: ${missingSecrets.join(', ')}`),
    ...warnings.map(({ message, fix }) => `\n${style.waiting(message)}\n  fix: ${fix}`),
  ].join('\n')
}
