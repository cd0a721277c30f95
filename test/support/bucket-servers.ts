import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { BlobServiceClient } from '@azure/storage-blob'
import { buildApp } from 'fauxqs'
import { signal, treeOf } from './processes.ts'
import type { TestBucket } from './running.ts'

export interface BucketServer extends TestBucket {
  stop(): Promise<void>
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Waits until something listens there; kills the process when nothing does in time, and fails, as when it has ended. */
export async function listening(port: number, server: ChildProcess, seconds = 120): Promise<void> {
  for (let tries = 0; tries < seconds * 10; tries++) {
    const answers = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true))
      socket.on('error', () => resolve(false)).on('connect', () => socket.destroy())
    })
    if (answers) return
    if (server.exitCode !== null) break
    await sleep(100)
  }
  for (const pid of treeOf(server.pid!)) signal(pid, 'SIGKILL')
  throw new Error(`${server.spawnargs.slice(0, 2).join(' ')} does not listen on port ${port}`)
}

export async function stopProcess(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  server.kill()
  await once(server, 'exit')
}

/**
 * `fauxqs` speaks S3. It takes `If-None-Match` on a write and overwrites all the same, which Amazon's does not; that
 * much is added before its own handler. `npm run test:engines` has a server that knows it by itself.
 */
export async function startS3({ createOnly = true } = {}): Promise<BucketServer> {
  const app = buildApp({ logger: false })
  const creating = new Set<string>()
  if (createOnly) {
    app.addHook('onRequest', async (request, reply) => {
      if (request.method !== 'PUT' || request.headers['if-none-match'] !== '*') return
      if (creating.has(request.url)) return reply.code(409).send()
      creating.add(request.url)
      const { statusCode } = await app.inject({ method: 'HEAD', url: request.url })
      if (statusCode === 200) return reply.code(412).send()
    })
    app.addHook('onResponse', async (request) => void creating.delete(request.url))
  }
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 })
  await app.inject({ method: 'PUT', url: '/lake' })
  return {
    bucketUrl: 's3://lake/some/prefix',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test-secret-key', endpoint },
    stop: () => app.close(),
  }
}

/** Azurite's well-known account. */
const account = {
  accountName: 'devstoreaccount1',
  accountKey: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
}

export async function startAzurite(): Promise<BucketServer> {
  const port = await freePort()
  const script = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js')
  const options = ['--inMemoryPersistence', '--silent', '--disableTelemetry', '--skipApiVersionCheck']
  const server = spawn(process.execPath, [script, '--blobPort', String(port), ...options], {
    stdio: 'ignore',
  })
  await listening(port, server)
  const endpoint = `http://127.0.0.1:${port}/${account.accountName}`
  const connection = `DefaultEndpointsProtocol=http;AccountName=${account.accountName};AccountKey=${account.accountKey};BlobEndpoint=${endpoint};`
  await BlobServiceClient.fromConnectionString(connection).createContainer('lake')
  return {
    bucketUrl: 'az://lake/some/prefix',
    credentials: { ...account, endpoint },
    stop: () => stopProcess(server),
  }
}
