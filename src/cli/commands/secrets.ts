import { keepSecret, PipelineError, secretStatuses, writeSecret, type SecretStatus } from '../../index.ts'
import { platformNames } from '../../sources/chats/registry.ts'
import {
  allowDestination,
  allowHosts,
  allowSecret,
  destinationSending,
  sourceOrigins,
} from '../../workbench/allowed-hosts.ts'
import {
  checkDestinationSecrets,
  checkSecrets,
  projectSecrets,
  type SecretCheck,
} from '../../workbench/project-secrets.ts'
import { sourceFiles } from '../../workbench/source-catalogue.ts'
import { done, parseCommand, printJson, program, type CommandResult } from '../command.ts'
import { askHidden } from '../ask-hidden.ts'
import { clean, style, wrap } from '../style.ts'

const usage = `
sluice secrets list [source …]     which are set, placeholders, or missing
sluice secrets set <key>           asks for the value, and keeps it in
         [--project]               ~/.sluice/secrets.toml, for all projects;
                                   or in .sluice/secrets.toml, for this one
sluice secrets allow <source>      its secrets may go to the address that it
                                   has now, also by what assistants start
         <key> <address>           one secret may go to one address
         destination.<name>        its credentials may go where the settings
                                   say now
sluice secrets check [source …]    asks each API once, and tells the status
         [--destination <name>]    connects, and tells how far it came

Values are never shown. A key has its sections: sources.github.token

  --json   output as JSON
`

export async function run(args: string[]): Promise<CommandResult> {
  const parsed = parseCommand(args, usage, { destination: { type: 'string' }, project: { type: 'boolean' } })
  if (parsed === undefined) return done
  const { values, positionals } = parsed
  const [action = 'list', ...names] = positionals
  const json = values.json === true
  switch (action) {
    case 'list':
    case 'view-redacted':
      return list(names, json)
    case 'set':
      return set(names, values.project === true)
    case 'allow':
      return allow(names)
    case 'check':
      return check(names, values.destination, json)
  }
  throw new PipelineError(`secrets: there is no action "${action}"`, {
    code: 'WRONG_USE',
    fix: 'use list, set, allow or check',
  })
}

async function list(names: readonly string[], json: boolean): Promise<CommandResult> {
  const all = await projectSecrets(process.cwd(), names)
  if (json) printJson(all)
  else if (all.length === 0) console.log('no source of this project asks for a secret, and none is set')
  else {
    const marks = {
      set: style.done('✓ set        '),
      placeholder: style.waiting('· placeholder'),
      missing: style.failed('✗ missing    '),
    }
    for (const { key, status, where, neededBy } of all) {
      console.log(`${marks[status]}  ${clean(key, 64)}`)
      const needed = neededBy.length === 0 ? '' : `, for ${neededBy.join(', ')}`
      console.log(
        style.faint(`               ${clean(`${status === 'missing' ? 'belongs in ' : 'in '}${where}${needed}`, 64)}`),
      )
    }
    const open = all.find(({ status }) => status !== 'set')
    if (open !== undefined) console.log(`\nto set one: ${program} secrets set ${open.key}`)
  }
  return done
}

/** What a program could answer, an assistant could. */
function onlyAtATerminal(what: string, command: string): void {
  if (process.stdin.isTTY === true && process.stderr.isTTY === true) return
  throw new PipelineError(`${what} by a person at a terminal, and this is none`, {
    code: 'WRONG_USE',
    fix: `run it yourself: ${program} ${command}`,
  })
}

async function set([key]: readonly string[], inProject: boolean): Promise<CommandResult> {
  if (key === undefined)
    throw new PipelineError('secrets set: which one?', { code: 'WRONG_USE', fix: 'see: sluice secrets list' })
  onlyAtATerminal('a secret is set', `secrets set ${key}; in production, set the environment variable`)
  const sources = await sourcesOf(key)
  for (const source of sources)
    console.error(
      `${clean(source, 30)} sends it to ${clean((await originsOf(source)).join(', ') || 'an address that is not set yet', 45)}`,
    )
  if (!inProject && statusOf(key)?.where.startsWith('~'))
    console.error(`other projects use ${clean(key, 40)} too and get the new value; --project sets it for this one`)
  const shown = await sendingOf(key)
  for (const setting of shown) console.error(`it is sent where the settings say: ${clean(setting, 45)}`)
  const value = await askHidden(`value of ${key} (it is not shown): `)
  if (value.trim() === '')
    throw new PipelineError('nothing was entered', { code: 'WRONG_USE', fix: 'try again, and paste the value' })
  const { path, takenFrom } = inProject
    ? { path: writeSecret(key, value.trim()), takenFrom: undefined }
    : keepSecret(key, value.trim())
  console.log(`${style.done('✓')} ${key} is set in ${clean(path, 60)}`)
  if (takenFrom !== undefined) console.log(`  and no longer in ${clean(takenFrom, 60)}`)
  const { where } = statusOf(key)!
  if (!isSameFile(where, path))
    console.log(`${style.waiting('!')} ${clean(where, 40)} has the key too, and comes first`)
  await allowAddressesOf(key, sources, shown)
  return done
}

const statusOf = (key: string): SecretStatus | undefined => secretStatuses([]).find((one) => one.key === key)

/** What is shown of a path: below the project, or below the home folder. */
const isSameFile = (shown: string, path: string): boolean => path.endsWith(shown.replace(/^~/, ''))

/** Whoever sets a secret was shown where it goes. */
async function allowAddressesOf(key: string, sources: readonly string[], shown: string[]): Promise<void> {
  for (const source of sources) if ((await originsOf(source)).length > 0) await allowHosts(process.cwd(), source)
  const name = destinationOf(key)
  if (name !== undefined) await allowDestination(process.cwd(), name, shown).catch(() => [])
}

const destinationOf = (key: string): string | undefined => /^destination\.(\w+)\./.exec(key)?.[1]

/** Where the settings have a destination's credentials sent; none where they are not set yet. */
async function sendingOf(key: string): Promise<string[]> {
  const name = destinationOf(key)
  return name === undefined ? [] : destinationSending(process.cwd(), name).catch(() => [])
}

/** The sources that ask for a secret, whether or not it is set. */
async function sourcesOf(key: string): Promise<string[]> {
  const platforms = platformNames.filter((name) => key.startsWith(`sources.${name}_source.`))
  const all = await projectSecrets(process.cwd(), [...sourceFiles(process.cwd()), ...platforms])
  return all.find((one) => one.key === key)?.neededBy ?? []
}

/** None where the address is a setting that is not there yet. */
const originsOf = (source: string): Promise<string[]> => sourceOrigins(process.cwd(), source).catch(() => [])

async function allow([source, address]: readonly string[]): Promise<CommandResult> {
  if (source === undefined)
    throw new PipelineError('secrets allow: which source?', {
      code: 'WRONG_USE',
      fix: 'name a source file or a platform',
    })
  onlyAtATerminal('an address is allowed', `secrets allow ${[source, address].filter(Boolean).join(' ')}`)
  if (address !== undefined) {
    const origin = allowSecret(process.cwd(), source, address)
    console.log(`${style.done('✓')} ${clean(source, 60)} may be sent to ${clean(origin, 60)}`)
    return done
  }
  const [, destination] = /^destination\.(\w+)$/.exec(source) ?? []
  if (destination !== undefined) {
    const settings = await allowDestination(process.cwd(), destination)
    const text =
      settings.length === 0 ? 'needs nothing: its credentials and the rest are in one place' : 'is allowed with'
    console.log(`${style.done('✓')} ${clean(source, 60)} ${text}`)
    for (const setting of settings) console.log(`  ${clean(setting, 72)}`)
    return done
  }
  const origins = await allowHosts(process.cwd(), source)
  console.log(
    `${style.done('✓')} assistants may have it sent to ${clean(origins.join(', '), 60)}, for ${clean(source, 40)}`,
  )
  return done
}

async function check(names: readonly string[], destination: string | undefined, json: boolean): Promise<CommandResult> {
  const sources = names.length > 0 || destination !== undefined ? names : sourceFiles(process.cwd())
  if (sources.length === 0 && destination === undefined) {
    throw new PipelineError('secrets check: of what?', {
      code: 'WRONG_USE',
      fix: 'name a source file, a platform, or --destination postgres',
    })
  }
  const checks: SecretCheck[] = []
  for (const name of sources) checks.push(await checkSecrets(process.cwd(), name))
  if (destination !== undefined) checks.push(await checkDestinationSecrets(destination))
  if (json) printJson(checks)
  else for (const one of checks) console.log(checkText(one))
  return { exitCode: checks.every(({ outcome }) => outcome === 'accepted' || outcome === 'not asked') ? 0 : 1 }
}

function checkText({ source, outcome, message, fix }: SecretCheck): string {
  const mark =
    outcome === 'accepted' ? style.done('✓') : outcome === 'not asked' ? style.waiting('·') : style.failed('✗')
  const text = `${mark} ${style.strong(source)}  ${outcome}\n  ${wrap(message, 76).join('\n  ')}`
  return fix === undefined ? text : `${text}\n  ${wrap(`fix: ${fix}`, 76).join('\n  ')}`
}
