import { PipelineError } from '../../index.ts'
import { done, parseCommand, type CommandResult } from '../command.ts'
import { workbenchDoctor } from '../workbench-doctor.ts'
import { init, status, toolkit } from '../workbench-text.ts'
import { run as secrets } from './secrets.ts'

const usage = `
sluice ai init [--agent claude,cursor,codex,vscode]
    rules, skills, MCP server and guards for secrets; without --agent for
    the programs that are used here
sluice ai status                       what is installed, and what is not right
sluice ai doctor                       tries the MCP server and the guards
sluice ai toolkit list
sluice ai toolkit <name> info|install|uninstall
sluice ai toolkit update [--dry-run]   to the version of this package
sluice ai toolkit diff                 what you changed, against this package
sluice ai mcp [run]                    the MCP server, over stdin and stdout
sluice ai mcp --http [--port 2719]     over HTTP, on this machine only
sluice ai mcp install [--agent a,b]    only its entry in the settings
sluice ai secrets list|check           as: sluice secrets
sluice ai uninstall                    takes everything out again

  --agent a,b        claude, cursor, codex, vscode
  --dry-run          says what would happen
  --overwrite        also files of yours, and what you changed
  --allow-run        mcp: assistants may run pipelines
  --features=-a,+b   mcp: groups of tools to leave out
  --new-token        mcp --http: another token; the old one is refused
  --json             output as JSON
`

export async function run(args: string[]): Promise<CommandResult> {
  if (args[0] === 'secrets') return secrets(args.slice(1))
  const parsed = parseCommand(args, usage, {
    agent: { type: 'string' },
    'dry-run': { type: 'boolean' },
    overwrite: { type: 'boolean' },
    'allow-run': { type: 'boolean' },
    features: { type: 'string' },
    http: { type: 'boolean' },
    stdio: { type: 'boolean' },
    port: { type: 'string' },
    'new-token': { type: 'boolean' },
  })
  if (parsed === undefined) return done
  const { values, positionals } = parsed
  const [action, ...rest] = positionals
  const options = {
    agent: values.agent,
    dryRun: values['dry-run'] === true,
    overwrite: values.overwrite === true,
    json: values.json === true,
  }
  switch (action) {
    case 'init':
      return init(options)
    case 'status':
      return status(options.json)
    case 'doctor':
      return workbenchDoctor(options.json)
    case 'toolkit':
      return toolkit(rest, options)
    case 'uninstall':
      return toolkit(['uninstall'], options)
    case 'mcp':
      if (rest[0] === 'install') return init({ ...options, onlyMcp: true })
      return mcp(values)
  }
  throw new PipelineError(`ai: there is no action "${action ?? ''}"`, {
    code: 'WRONG_USE',
    fix: 'use one of: init, status, doctor, toolkit, mcp, secrets, uninstall',
  })
}

/** Loaded only where it is wanted: the protocol is the largest part of the command line. */
async function mcp(values: {
  http?: boolean | undefined
  port?: string | undefined
  'allow-run'?: boolean | undefined
  features?: string | undefined
  'new-token'?: boolean | undefined
}): Promise<CommandResult> {
  const { serveMcp } = await import('../serve-mcp.ts')
  return serveMcp({
    http: values.http === true,
    port: values.port,
    allowsRuns: values['allow-run'] === true,
    features: values.features,
    renewsToken: values['new-token'] === true,
  })
}
