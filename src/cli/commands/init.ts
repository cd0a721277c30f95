import { PipelineError } from '../../index.ts'
import { platformNames } from '../../sources/chats/registry.ts'
import { destinationNames } from '../../destinations/registry.ts'
import { scaffold } from '../../workbench/scaffold/scaffold.ts'
import { done, parseCommand, printJson, program, type CommandResult } from '../command.ts'
import { style } from '../style.ts'

const usage = `
sluice init <source> [destination]     [duckdb]

Writes a project into this folder: a pipeline, settings, placeholders for
secrets, a README, and a test that runs without an account. What is there
already stays as it is.

  source        ${platformNames.join(', ')}; an OpenAPI file
                or address; or a new name: a REST source to fill in
  destination   ${destinationNames.slice(0, 5).join(', ')},
                ${destinationNames.slice(5).join(', ')}

  --json        output as JSON
`

const verbs = { create: style.done('new    '), update: style.done('changed'), kept: style.faint('kept   ') }

export async function run(args: string[]): Promise<CommandResult> {
  const parsed = parseCommand(args, usage, {})
  if (parsed === undefined) return done
  const [source, destination = 'duckdb'] = parsed.positionals
  if (source === undefined) {
    throw new PipelineError('init: from which source?', {
      code: 'WRONG_USE',
      fix: `sluice init chatra duckdb; sources: ${platformNames.join(', ')}, an OpenAPI file, or a new name`,
    })
  }
  const { steps, runs, missing } = await scaffold(process.cwd(), source, destination)
  if (parsed.values.json === true) {
    printJson({ steps, runs, missingSecrets: missing })
    return done
  }
  for (const { path, action } of steps) console.log(`  ${verbs[action]}  ${path}`)
  const load = runs.endsWith('.ts') ? `node ${runs}` : `${program} run ${runs} --destination ${destination}`
  const hasTest = steps.some(({ path }) => path.endsWith('.test.ts'))
  console.log(
    [
      '',
      'next: npm install',
      ...(hasTest ? ['      npm test      # without an account'] : []),
      ...missing.map((key) => `      ${program} secrets set ${key}`),
      `      ${load}`,
      '',
      style.faint(`with an assistant: ${program} ai init`),
    ].join('\n'),
  )
  return done
}
