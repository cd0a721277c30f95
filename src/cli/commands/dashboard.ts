import { done, parseCommand, type CommandResult } from '../command.ts'
import { serveDashboard } from '../serve-dashboard.ts'

const usage = `
sluice dashboard

Shows all pipelines of this machine in the browser: runs, tables, schemas, state.
Only this machine can reach it, and only with the link that is printed.

  --port <n>   [2718, or a free one]
  --no-open    do not open the browser
  --new-token  another link; the old one is refused
  --json       print the link as JSON
`

export async function run(args: string[]): Promise<CommandResult> {
  const parsed = parseCommand(args, usage, {
    port: { type: 'string' },
    'no-open': { type: 'boolean' },
    'new-token': { type: 'boolean' },
  })
  if (parsed === undefined) return done
  const { port, 'no-open': stays, 'new-token': renewsToken, json } = parsed.values
  await serveDashboard('/', { port, opens: stays !== true, json: json === true, renewsToken: renewsToken === true })
  return done
}
