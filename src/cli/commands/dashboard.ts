import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { startDashboard } from '../../dashboard/server.ts'
import { done, parseCommand, type CommandResult } from '../command.ts'
import { style } from '../style.ts'

const usage = `
sluice dashboard

Shows all pipelines of this machine in the browser: runs, tables, schemas, state.
Only this machine can reach it, and only with the link that is printed.

  --port <n>   [2718, or a free one]
  --no-open    do not open the browser
`

export async function run(args: string[]): Promise<CommandResult> {
  const parsed = parseCommand(args, usage, { port: { type: 'string' }, 'no-open': { type: 'boolean' } })
  if (parsed === undefined) return done
  const { port, 'no-open': stays } = parsed.values
  await serveDashboard('/', { ...(port === undefined ? {} : { port: Number(port) }), opens: stays !== true })
  return done
}

/** Serves the dashboard until the person ends it. */
export async function serveDashboard(path: string, { port, opens }: { port?: number; opens: boolean }): Promise<void> {
  const dashboard = await startDashboard(port === undefined ? {} : { port })
  const url = dashboard.url(path)
  console.log(`dashboard  ${style.strong(url)}`)
  console.log(style.faint('Ctrl-C ends it'))
  if (opens && process.stdout.isTTY) openBrowser(url)
  const signals = ['SIGINT', 'SIGTERM'] as const
  await Promise.race(signals.map((signal) => once(process, signal)))
  await dashboard.close()
}

/** Without a browser, the printed link is enough. */
function openBrowser(url: string): void {
  const [command, args] =
    process.platform === 'darwin'
      ? ['open', [url]]
      : process.platform === 'win32'
        ? ['cmd', ['/c', 'start', '', url.replaceAll('&', '^&')]]
        : ['xdg-open', [url]]
  const child = spawn(command as string, args as string[], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}
