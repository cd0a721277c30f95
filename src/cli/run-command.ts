import { inspect } from 'node:util'
import { LoadRefused, PipelineError, redact } from '../index.ts'
import type { CommandResult } from './command.ts'
import { style, wrap } from './style.ts'

interface Command {
  summary: string
  load(): Promise<{ run(args: string[]): Promise<CommandResult> }>
}

const commands: Record<string, Command> = {
  demo: { summary: 'load all five chat platforms from local simulators', load: () => import('./commands/demo.ts') },
  run: { summary: 'run a pipeline, a source file or a platform', load: () => import('./commands/run.ts') },
  schedule: { summary: 'run jobs when they are due', load: () => import('./commands/schedule.ts') },
  worker: {
    summary: 'do jobs on many machines, by a queue in PostgreSQL',
    load: () => import('./commands/worker.ts'),
  },
  serve: {
    summary: 'receive webhooks, and keep them until they are loaded',
    load: () => import('./commands/serve.ts'),
  },
  send: { summary: 'send rows of a dataset to an API', load: () => import('./commands/send.ts') },
  deploy: { summary: 'write what runs the jobs elsewhere', load: () => import('./commands/deploy.ts') },
  pipeline: { summary: 'look at pipelines and what they loaded', load: () => import('./commands/pipeline.ts') },
  dashboard: { summary: 'show all pipelines in the browser', load: () => import('./commands/dashboard.ts') },
  types: { summary: 'write TypeScript types of loaded tables', load: () => import('./commands/types.ts') },
  source: { summary: 'list, make, check, try and simulate sources', load: () => import('./commands/source.ts') },
  init: { summary: 'write a project: pipeline, settings, test', load: () => import('./commands/init.ts') },
  secrets: { summary: 'which secrets are set; set one; try them', load: () => import('./commands/secrets.ts') },
  ai: { summary: 'set up assistants: rules, skills, MCP server', load: () => import('./commands/ai.ts') },
  doctor: { summary: 'check this machine and a destination', load: () => import('./commands/doctor.ts') },
}

const help = (): string =>
  [
    'sluice: load APIs into clean, typed tables',
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  sluice ${name.padEnd(10)} ${summary}`),
    '',
    '  sluice <command> --help    what a command takes',
    '  sluice --version',
  ].join('\n')

/** Runs a command and gives its exit code: 0, 1 when it failed, 2 for wrong use. */
export async function runCommand(name: string | undefined, args: string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(help())
    return name === undefined ? 2 : 0
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    console.error(`sluice: there is no command "${name}"\n\n${help()}`)
    return 2
  }
  try {
    return (await (await command.load()).run(args)).exitCode
  } catch (error) {
    return report(error, args)
  }
}

/** On a terminal, within 80 columns; a program that reads it gets each line whole. */
const forPeople = (text: string, indent: number): string =>
  process.stderr.isTTY
    ? text
        .split('\n')
        .map((line) => wrap(line, 80 - indent).join(`\n${' '.repeat(indent)}`))
        .join('\n')
    : text

function report(error: unknown, args: readonly string[]): number {
  const known = error instanceof PipelineError
  const isParse = (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true
  const summary = known ? error.summary : redact((error as Error).message)
  const fix = known
    ? error.fix
    : isParse
      ? 'see the options with --help'
      : 'this is a defect of Sluice: please report it'
  const code = known ? error.code : isParse ? 'WRONG_USE' : 'UNEXPECTED'
  if (args.includes('--json')) {
    const resource = known && error.resource !== undefined ? { resource: error.resource } : {}
    // A run that ends with refused packages has loaded the others.
    const loaded = error instanceof LoadRefused ? error.info.toJSON() : {}
    console.log(JSON.stringify({ error: { code, message: summary, fix, ...resource }, ...loaded }))
  } else {
    console.error(`${style.failed('failed')}  ${forPeople(summary, 8)}\n  fix: ${forPeople(fix, 7)}`)
  }
  // Errors of drivers hold the requests they sent.
  if (args.includes('--debug')) console.error(redact(inspect(error, { depth: 5 }), { byName: true }))
  return code === 'WRONG_USE' ? 2 : 1
}
