import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { buildDashboardPage } from './dashboard-page.ts'
import type { SharedServers } from './running.ts'

/** A server that runs, what tests have to know of it, and how to end it. */
interface Started<Facts> {
  facts: Facts
  stop?(): Promise<void>
}

type Starters = { [Name in keyof SharedServers]: () => Promise<Started<SharedServers[Name]>> }

// Loaded when asked for: most runs need few of them.
const starters: Starters = {
  async postgres() {
    const given = process.env.SLUICE_TEST_POSTGRES_URL
    if (given !== undefined) return { facts: given }
    const { startPostgres } = await import('./postgres-server.ts')
    const server = await startPostgres()
    return { facts: server.url, stop: () => server.stop() }
  },
  s3: async () => bucket(await (await import('./bucket-servers.ts')).startS3()),
  azure: async () => bucket(await (await import('./bucket-servers.ts')).startAzurite()),
  moto: async () => bucket(await (await import('../engines/servers.ts')).startMoto()),
  gcs: async () => bucket(await (await import('../engines/servers.ts')).startGcs()),
  async chromium() {
    const { installChromium } = await import('./chromium.ts')
    return { facts: await installChromium() }
  },
}

function bucket({ bucketUrl, credentials, stop }: SharedServers['s3'] & { stop(): Promise<void> }) {
  return { facts: { bucketUrl, credentials }, stop }
}

/** Starts each shared server when the first test of the run asks for it, and ends them after the last test. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildDashboardPage()
  const started = new Map<string, Promise<Started<unknown>>>()
  const desk = createServer((request, response) => {
    const name = request.url!.slice(1) as keyof SharedServers
    let server = started.get(name)
    if (server === undefined) started.set(name, (server = starters[name]()))
    server.then(
      ({ facts }) => response.end(JSON.stringify(facts)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => desk.listen(0, '127.0.0.1', resolve))
  // Starting a server may take minutes: it is installed first.
  desk.requestTimeout = 0
  project.provide('servers', `http://127.0.0.1:${(desk.address() as AddressInfo).port}`)
  return async () => {
    desk.close()
    desk.closeAllConnections()
    const servers = await Promise.allSettled(started.values())
    await Promise.all(servers.map(async (one) => (one.status === 'fulfilled' ? one.value.stop?.() : undefined)))
  }
}
