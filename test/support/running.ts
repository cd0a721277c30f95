import { inject } from 'vitest'
import type { StoreCredentials } from '../../src/destinations/stores/index.ts'
import type { Chromium } from './chromium.ts'

/** A bucket on an object store that the tests run. */
export interface TestBucket {
  bucketUrl: string
  credentials: StoreCredentials
}

/** The servers that all test files of a run share, and how to reach each. */
export interface SharedServers {
  /** A URL, or the one of `SLUICE_TEST_POSTGRES_URL`. */
  postgres: string
  s3: TestBucket
  azure: TestBucket
  /** Needs no server: the browser is unpacked and the dashboard's page built. */
  chromium: Chromium
  /** Second tier. */
  moto: TestBucket
  gcs: TestBucket
}

declare module 'vitest' {
  interface ProvidedContext {
    servers: string
  }
}

const known = new Map<keyof SharedServers, Promise<unknown>>()

/** Starts a shared server when the first test asks for it; resolves when it can be used. */
export function running<Name extends keyof SharedServers>(name: Name): Promise<SharedServers[Name]> {
  let server = known.get(name)
  if (server === undefined) known.set(name, (server = ask(name)))
  return server as Promise<SharedServers[Name]>
}

async function ask(name: string): Promise<unknown> {
  const response = await fetch(`${inject('servers')}/${name}`)
  if (!response.ok) throw new Error(`the shared ${name} did not start: ${await response.text()}`)
  return response.json()
}
