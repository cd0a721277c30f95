import { deployedProject, deployment, hostNames, writeFiles } from '../../jobs/deploy/index.ts'
import { readJobsFile, standardJobsFile } from '../../jobs/jobs-file.ts'
import { done, parseCommand, printJson, type CommandResult } from '../command.ts'
import { style, wrap } from '../style.ts'

const usage = `
sluice deploy <host>     writes the files that run sluice.jobs.ts there

  hosts                  ${hostNames.slice(0, 4).join(', ')},
                         ${hostNames.slice(4).join(', ')}
  --file <path>          the file that exports the jobs    [sluice.jobs.ts]
  --dry-run              shows the files, and writes nothing
  --force                writes over files that are there
  --json                 output as JSON

Secrets are named in the files, never written into them.
`

export async function run(args: string[]): Promise<CommandResult> {
  const parsed = parseCommand(args, usage, {
    file: { type: 'string' },
    force: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  })
  if (parsed === undefined) return done
  const { values, positionals } = parsed
  const file = values.file ?? standardJobsFile
  const here = process.cwd()
  const made = deployment(positionals[0], await deployedProject(here, file, (await readJobsFile(file)).jobs), here)
  if (values['dry-run'] === true) {
    if (values.json === true) printJson(made)
    else for (const { path, text } of made.files) console.log(`${style.strong(path)}\n\n${text}`)
    return done
  }
  const results = writeFiles(here, made, values.force === true)
  if (values.json === true) {
    printJson({ files: results, steps: made.steps })
    return done
  }
  for (const { path, written } of results)
    console.log(
      written ? `  ${style.done('new ')}  ${path}` : `  ${style.waiting('kept')}  ${path}; --force writes over it`,
    )
  if (made.steps.length > 0) console.log('\nthen')
  for (const step of made.steps) console.log(`  - ${wrap(step, 76).join('\n    ')}`)
  return done
}
