import { z } from 'zod'
import { PipelineError } from '../../index.ts'
import { installedToolkits } from '../../workbench/install.ts'
import { packageVersion } from '../../workbench/package-version.ts'
import { readToolkits } from '../../workbench/toolkit.ts'
import { tool } from '../tool.ts'

export const workspaceInfoTool = tool({
  name: 'get_workspace_info',
  title: 'The project',
  description: 'The folder of the project, the version of Sluice, installed toolkits, and what this server may do.',
  input: z.object({}),
  output: z.object({
    project: z.string(),
    version: z.string(),
    installed_toolkits: z.array(z.object({ name: z.string(), version: z.string() })),
    may_run_pipelines: z.boolean(),
  }),
  effect: 'look',
  run: (_, { projectDir, allowsRuns }) => ({
    project: projectDir,
    version: packageVersion(),
    installed_toolkits: installedToolkits(projectDir),
    may_run_pipelines: allowsRuns,
  }),
})

export const listToolkitsTool = tool({
  name: 'list_toolkits',
  title: 'Toolkits',
  description:
    'The toolkits that come with Sluice: groups of skills for one kind of work, and whether they are installed.',
  input: z.object({}),
  output: z.object({
    toolkits: z.array(
      z.object({
        name: z.string(),
        description: z.string(),
        begins_with: z.string(),
        installed: z.boolean(),
        install_command: z.string(),
      }),
    ),
  }),
  effect: 'look',
  run: (_, { projectDir }) => {
    const installed = new Set(installedToolkits(projectDir).map(({ name }) => name))
    return {
      toolkits: readToolkits().map(({ name, description, entrySkill }) => ({
        name,
        description,
        begins_with: entrySkill,
        installed: installed.has(name),
        install_command: `sluice ai toolkit install ${name}`,
      })),
    }
  },
})

export const toolkitInfoTool = tool({
  name: 'toolkit_info',
  title: 'A toolkit, or one of its skills',
  description: 'What a toolkit holds; with a skill, its whole text, to work by it at once without installing.',
  input: z.object({ name: z.string().describe('Name of a toolkit'), skill: z.string().optional() }),
  output: z.object({
    name: z.string(),
    description: z.string(),
    skills: z.array(z.object({ name: z.string(), description: z.string() })),
    workflow: z.string(),
    skill_text: z.string().optional(),
  }),
  effect: 'look',
  run({ name, skill }) {
    const all = readToolkits()
    const found = all.find((one) => one.name === name)
    if (found === undefined) throw notThere('toolkit', name, all)
    const text = skill === undefined ? undefined : found.skills.find((one) => one.name === skill)
    if (skill !== undefined && text === undefined) throw notThere('skill', skill, found.skills)
    return {
      name,
      description: found.description,
      skills: found.skills.map((one) => ({ name: one.name, description: one.description })),
      workflow: found.rules.map((rule) => rule.text).join('\n\n'),
      ...(text === undefined ? {} : { skill_text: text.body }),
    }
  },
})

const notThere = (what: string, name: string, known: readonly { name: string }[]): PipelineError =>
  new PipelineError(`there is no ${what} "${name}"`, {
    code: 'WRONG_USE',
    fix: `use one of: ${known.map((one) => one.name).join(', ')}`,
  })
