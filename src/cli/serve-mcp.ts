import { once } from 'node:events'
import { assistantEnvironment } from '../egress/index.ts'
import { serveHttp, serveStdio } from '../mcp/serve.ts'
import { chosenFeatures } from '../mcp/server.ts'
import { done, portNumber, type CommandResult } from './command.ts'

/** `sluice ai mcp`: serves until whoever started it ends it. Over stdio, stdout belongs to the protocol. */
export async function serveMcp(options: {
  http: boolean
  port: string | undefined
  allowsRuns: boolean
  features: string | undefined
  renewsToken: boolean
}): Promise<CommandResult> {
  // Also for the processes that tools start.
  Object.assign(process.env, assistantEnvironment)
  const project = { projectDir: process.cwd(), allowsRuns: options.allowsRuns }
  const features = chosenFeatures(options.features)
  if (!options.http) {
    if (process.stdin.isTTY) console.error('the MCP server waits for an assistant; to set one up: sluice ai init')
    await serveStdio(project, features)
    return done
  }
  const port = options.port === undefined ? undefined : portNumber(options.port)
  const server = await serveHttp(project, features, { port, renewsToken: options.renewsToken })
  console.log(`${server.url}\n\nwith the header\n\n  Authorization: Bearer ${server.token}\n\nCtrl-C ends it`)
  await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)))
  await server.close()
  return done
}
