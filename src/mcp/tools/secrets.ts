import { z } from 'zod'
import { writePlaceholders } from '../../index.ts'
import { refuseUnknownHosts } from '../../workbench/allowed-hosts.ts'
import { checkDestinationSecrets, checkSecrets, projectSecrets } from '../../workbench/project-secrets.ts'
import { tool } from '../tool.ts'

const statusShape = z.object({
  key: z.string(),
  status: z.enum(['set', 'placeholder', 'missing']),
  where: z.string().describe('The environment variable or file it stands in; for a missing one, where it belongs'),
  needed_by: z.array(z.string()),
})

export const secretsListTool = tool({
  name: 'secrets_list',
  title: 'Secrets by their state',
  description:
    'Which secrets the project needs and has: set, placeholder or missing, and where. Values are never shown, nor their length.',
  input: z.object({
    sources: z.array(z.string()).default([]).describe('Platforms or source files; all that the project uses without'),
  }),
  output: z.object({ secrets: z.array(statusShape) }),
  effect: 'look',
  async run({ sources }, { projectDir }) {
    const all = await projectSecrets(projectDir, sources)
    return { secrets: all.map(({ key, status, where, neededBy }) => ({ key, status, where, needed_by: neededBy })) }
  },
})

export const secretsPlaceholdersTool = tool({
  name: 'secrets_write_placeholders',
  title: 'Placeholders for secrets',
  description: [
    'Puts placeholders for missing secrets into .sluice/secrets.toml. It takes no values: a person sets them in their',
    'terminal with "sluice secrets set <key>". Never ask for a value in the chat; one that was shown there is to be revoked.',
  ].join(' '),
  input: z.object({
    secrets: z
      .array(
        z.object({
          key: z.string().describe('With its sections: sources.github.token'),
          hint: z.string().max(80).optional().describe('A few plain words on where to get it'),
        }),
      )
      .min(1)
      .max(50),
  }),
  output: z.object({ written: z.array(z.string()), left_alone: z.array(z.string()), next_step: z.string() }),
  effect: 'write',
  run({ secrets }, { projectDir }) {
    const wanted = secrets.map(({ key, hint }) => (hint === undefined ? { key } : { key, hint }))
    const written = writePlaceholders(wanted, projectDir)
    return {
      written,
      left_alone: secrets.map(({ key }) => key).filter((key) => !written.includes(key)),
      next_step: `a person sets each one in their own terminal: sluice secrets set ${secrets[0]!.key}`,
    }
  },
})

export const secretsCheckTool = tool({
  name: 'secrets_check',
  title: 'Do the secrets work?',
  description:
    'Asks the API of a source once with the secrets that are set, or connects to a destination; tells the outcome only.',
  input: z.object({
    source: z.string().optional().describe('A platform or a source file'),
    destination: z
      .string()
      .optional()
      .describe('duckdb, postgres, bigquery, snowflake, redshift, databricks, filesystem'),
  }),
  output: z.object({
    checks: z.array(
      z.object({
        source: z.string(),
        outcome: z.enum(['accepted', 'refused', 'missing', 'failed', 'not asked']),
        status: z.number().optional(),
        message: z.string(),
        fix: z.string().optional(),
      }),
    ),
  }),
  effect: 'look',
  asksTheWorld: true,
  holdsData: true,
  async run({ source, destination }, { projectDir }) {
    if (source !== undefined) await refuseUnknownHosts(projectDir, source)
    return {
      checks: [
        ...(source === undefined ? [] : [await checkSecrets(projectDir, source)]),
        ...(destination === undefined ? [] : [await checkDestinationSecrets(destination)]),
      ],
    }
  },
})
