import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { startDashboard } from '../dashboard/server.ts'
import { portNumber, printJson } from './command.ts'
import { style } from './style.ts'

/** Serves the dashboard until the person ends it. */
export async function serveDashboard(
  path: string,
  {
    port,
    opens,
    json = false,
    renewsToken = false,
  }: { port: string | undefined; opens: boolean; json?: boolean; renewsToken?: boolean },
): Promise<void> {
  const dashboard = await startDashboard({ renewsToken, ...(port === undefined ? {} : { port: portNumber(port) }) })
  const url = dashboard.url(path)
  if (json) printJson({ url })
  else console.log(`dashboard  ${style.strong(url)}\n${style.faint('Ctrl-C ends it')}`)
  if (opens && !json && process.stdout.isTTY) openBrowser(url)
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
