import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { attach, dataDir, listPipelines, pipeline, PipelineError, redact } from '../../index.ts'
import { done, parseCommand, printJson, type CommandResult } from '../command.ts'
import { plural, style, wrap } from '../style.ts'

const usage = `
sluice doctor [--destination <name>]

Checks this machine, and with --destination everything that a load needs:
settings, driver, connection, storage, and the right to write. What it
writes it takes back; a database file or folder that it had to make stays,
empty.

  --pipeline <name>   use the settings of this pipeline    [doctor]
  --json              output as JSON
`

interface Finding {
  check: string
  ok: boolean
  /** Nothing is in the way of a load, and still somebody should look. */
  warns?: true
  found: string
  error?: { code: string; message: string; fix: string }
}

export async function run(args: string[]): Promise<CommandResult> {
  const parsed = parseCommand(args, usage, { destination: { type: 'string' }, pipeline: { type: 'string' } })
  if (parsed === undefined) return done
  const { destination, pipeline: name = 'doctor', json } = parsed.values
  const findings: Finding[] = []
  const note = (finding: Finding): void => {
    findings.push(finding)
    if (json !== true) console.log(findingText(finding))
  }
  const loading = pipeline({ name, ...(destination === undefined ? {} : { destination }) })
  note({ check: 'Node', ok: true, found: process.versions.node })
  note(workingData(loading.dataDir))
  note({ check: 'pipelines', ok: true, found: `${listPipelines().length} have run here` })
  for (const finding of failedPackages()) note(finding)
  if (destination !== undefined)
    for await (const { name: check, found, error } of loading.check()) note(outcome(check, found, error))
  const failed = findings.filter(({ ok }) => !ok)
  if (json === true) printJson(findings)
  else if (findings.every(({ ok, warns }) => ok && warns !== true)) console.log(`\n${style.done('all is well')}`)
  return { exitCode: failed.length === 0 ? 0 : 1 }
}

/** Pipelines with packages that a destination has refused. They are no fault of this machine: their rows are read again. */
const failedPackages = (): Finding[] =>
  listPipelines().flatMap(({ name }) => {
    const { length } = attach(name).failedPackages()
    if (length === 0) return []
    const found = `${plural(length, 'package')} of ${name} set aside: sluice pipeline ${name} failed-packages`
    return [{ check: 'failed packages', ok: true, warns: true, found }]
  })

/** The folder of working data, or the nearest one above it that is there. */
function workingData(path: string): Finding {
  const folder = dirname(path)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    accessSync(folder, constants.W_OK)
    if (process.platform !== 'win32' && (statSync(dataDir()).mode & 0o077) !== 0)
      return { check: 'working data', ok: true, warns: true, found: `others can read it: chmod 700 ${dataDir()}` }
    return { check: 'working data', ok: true, found: folder }
  } catch (error) {
    const message = `${folder} cannot be written: ${(error as Error).message}`
    return outcome(
      'working data',
      '',
      new PipelineError(message, { code: 'DISK_REFUSED', fix: 'set SLUICE_DATA_DIR to a folder of your own' }),
    )
  }
}

function outcome(check: string, found: string, error: Error | undefined): Finding {
  if (error === undefined) return { check, ok: true, found }
  const known = error instanceof PipelineError
  const message = known ? error.summary : redact(error.message.split('\n')[0]!)
  const fix = known ? error.fix : 'see what the destination says'
  return { check, ok: false, found, error: { code: known ? error.code : 'LOAD_FAILED', message, fix } }
}

function findingText({ check, ok, warns, found, error }: Finding): string {
  const mark = warns === true ? style.waiting('!') : ok ? style.done('✓') : style.failed('✗')
  const indent = ' '.repeat(26)
  const text = error === undefined ? found : `${error.message}\nfix: ${error.fix}`
  const lines = text.split('\n').flatMap((line) => wrap(line, 54))
  return `${mark} ${check.padEnd(23)} ${lines.join(`\n${indent}`)}`
}
