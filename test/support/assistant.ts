import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { onTestFinished } from 'vitest'

export const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export interface Answer {
  isError: boolean
  text: string
  data: never
}

/** A project with an assistant's client beside it, which speaks to the server as hosts do. */
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
  const call = async (name: string, args: object = {}): Promise<Answer> => {
    const { isError, content, structuredContent } = await client.callTool({ name, arguments: { ...args } })
    const text = (content as { text: string }[]).map((part) => part.text).join('\n')
    return { isError: isError === true, text, data: structuredContent as never }
  }
  return { folder, client, call }
}
