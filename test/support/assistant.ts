import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, InMemoryTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { onTestFinished } from 'vitest'
import { chosenFeatures, mcpServer } from '../../src/mcp/server.ts'

export const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export interface Answer {
  isError: boolean
  text: string
  data: never
}

/** A project with an assistant's client, which speaks to the server as hosts do. */
export async function assistant(options: { args?: string[]; env?: Record<string, string> } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-mcp-'))
  const client = new Client({ name: 'a client', version: '1' })
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [main, 'ai', 'mcp', ...(options.args ?? [])],
      cwd: folder,
      env: { PATH: process.env.PATH!, HOME: folder, SLUICE_DATA_DIR: join(folder, 'data'), ...options.env },
    }),
  )
  onTestFinished(() => client.close())
  return { folder, client, call: caller(client) }
}

/** The same with the server in this process, without the start of another one. Only one at a time: it changes the folder. */
export async function assistantHere(options: { allowsRuns?: boolean; features?: string } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-mcp-'))
  const [cwd, { HOME, SLUICE_DATA_DIR }] = [process.cwd(), process.env]
  Object.assign(process.env, { HOME: folder, SLUICE_DATA_DIR: join(folder, 'data') })
  process.chdir(folder)
  const client = new Client({ name: 'a client', version: '1' })
  const [near, far] = InMemoryTransport.createLinkedPair()
  const project = { projectDir: folder, allowsRuns: options.allowsRuns ?? false }
  await mcpServer(project, chosenFeatures(options.features)).connect(far)
  await client.connect(near)
  onTestFinished(async () => {
    await client.close()
    process.chdir(cwd)
    Object.assign(process.env, { HOME })
    if (SLUICE_DATA_DIR === undefined) delete process.env.SLUICE_DATA_DIR
    else process.env.SLUICE_DATA_DIR = SLUICE_DATA_DIR
  })
  return { folder, client, call: caller(client) }
}

const caller =
  (client: Client) =>
  async (name: string, args: object = {}): Promise<Answer> => {
    const { isError, content, structuredContent } = await client.callTool({ name, arguments: { ...args } })
    const text = (content as { text: string }[]).map((part) => part.text).join('\n')
    return { isError: isError === true, text, data: structuredContent as never }
  }
