import type { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { readToolkits } from '../workbench/toolkit.ts'

/** A prompt for each skill that people begin with, so that hosts offer it as a command. */
const offered: Record<string, { skill: string; about: string }> = {
  'find-source': { skill: 'find-source', about: 'what is to be loaded, such as: GitHub issues' },
  'debug-pipeline': { skill: 'debug-pipeline', about: 'the pipeline, and what is wrong' },
  'new-endpoint': { skill: 'new-endpoint', about: 'the source file, and what else to load' },
  'explore-data': { skill: 'explore-data', about: 'the pipeline, and what you want to know' },
}

export function registerPrompts(server: McpServer): void {
  const skills = readToolkits().flatMap((toolkit) => toolkit.skills)
  for (const [name, { skill, about }] of Object.entries(offered)) {
    const { description, body } = skills.find((one) => one.name === skill)!
    server.registerPrompt(
      name,
      { title: name, description, argsSchema: z.object({ about: z.string().max(2000).optional().describe(about) }) },
      ({ about: asked }) => ({
        messages: [
          {
            role: 'user',
            content: { type: 'text', text: asked === undefined ? body : `${body}\n\nAsked for: ${asked}` },
          },
        ],
      }),
    )
  }
}
