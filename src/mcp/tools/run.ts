import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { assistantEnvironment } from '../../egress/index.ts'
import { PipelineError } from '../../index.ts'
import { platformByName } from '../../sources/chats/registry.ts'
import { isSourceFile } from '../../sources/rest/index.ts'
import { refuseUnknownHosts } from '../../workbench/allowed-hosts.ts'
import { insideProject } from '../../workbench/project-path.ts'
import { dataNotice, tool } from '../tool.ts'

const main = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../cli/main.ts' : '../../cli/main.js', import.meta.url),
)
const longestOutput = 200_000

export const runPipelineTool = tool({
  name: 'run_pipeline',
  title: 'Run a pipeline',
  description: [
    'Loads a source file, a platform or a pipeline file of the project, at most so many pages of each resource, and at most',
    'so long. Begin with one page. A failed run changes nothing; explain_failure says why it failed.',
  ].join(' '),
  input: z.object({
    target: z.string().describe('shop.source.yaml, shop_pipeline.ts, or the name of a platform'),
    pipeline_name: z.string().optional().describe('Another name than that of the source'),
    destination: z.string().optional(),
    dataset: z.string().optional(),
    resources: z.array(z.string()).min(1).optional(),
    page_limit: z.number().int().min(1).max(10_000).default(1),
    write_disposition: z.enum(['append', 'replace', 'merge']).optional(),
    timeout_seconds: z.number().int().min(1).max(3600).default(300),
  }),
  output: z.object({
    ok: z.boolean(),
    pipeline: z.string().optional(),
    rows: z.array(z.object({ table: z.string(), rows: z.number() })).optional(),
    duration_ms: z.number().optional(),
    error: z.object({ code: z.string(), message: z.string(), fix: z.string() }).optional(),
    next_step: z.string(),
    note: z.string(),
  }),
  effect: 'run',
  asksTheWorld: true,
  holdsData: true,
  async run(given, { projectDir, allowsRuns }) {
    if (!allowsRuns) {
      throw new PipelineError('this server may not run pipelines', {
        code: 'WRONG_USE',
        fix: 'a person starts it with: sluice ai mcp --allow-run; or runs it themselves: sluice run',
      })
    }
    const { target, timeout_seconds: seconds } = given
    const isPlatform = (await platformByName(target)) !== undefined && !existsSync(target)
    if (isPlatform || isSourceFile(target)) await refuseUnknownHosts(projectDir, target)
    const args = [
      'run',
      isPlatform ? target : relative(realpathSync(projectDir), insideProject(projectDir, target)),
      ...flags(given),
    ]
    const answer = await sluice(args, projectDir, seconds * 1000)
    const { error, pipeline, rows = {}, durationMs, refusedPackages } = answer
    if (error !== undefined && refusedPackages === undefined)
      return { ok: false, error, next_step: 'explain_failure', note: dataNotice }
    return {
      ok: error === undefined,
      ...(error === undefined ? {} : { error }),
      ...(pipeline === undefined ? {} : { pipeline }),
      rows: Object.entries(rows).map(([table, count]) => ({ table, rows: count })),
      ...(durationMs === undefined ? {} : { duration_ms: durationMs }),
      next_step:
        refusedPackages === undefined
          ? 'preview_table shows the rows; explain_failure checks whether the run loaded fewer than expected'
          : 'list_failed_packages lists the refused packages and the reasons; all other packages were loaded',
      note: dataNotice,
    }
  },
})

interface Given {
  pipeline_name?: string | undefined
  destination?: string | undefined
  dataset?: string | undefined
  resources?: string[] | undefined
  page_limit: number
  write_disposition?: string | undefined
}

/** As `--name=value`, so that no value is taken for an option. */
const flags = (given: Given): string[] =>
  Object.entries({
    pipeline: given.pipeline_name,
    destination: given.destination,
    dataset: given.dataset,
    resources: given.resources?.join(','),
    limit: String(given.page_limit),
    'write-disposition': given.write_disposition,
    progress: 'off',
  })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `--${name}=${value}`)
    .concat('--json')

interface Answer {
  pipeline?: string
  rows?: Record<string, number>
  durationMs?: number
  refusedPackages?: unknown[]
  error?: { code: string; message: string; fix: string }
}

/** In a process of its own, so that it can be ended, and files of databases stay free here. */
function sluice(args: readonly string[], cwd: string, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...process.execArgv, main, ...args], {
      cwd,
      env: { ...process.env, ...assistantEnvironment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [out, err] = ['', '']
    let isLate = false
    // The first signal ends the run in order; what was loaded until then stays.
    const late = setTimeout(() => {
      isLate = true
      child.kill('SIGINT')
      setTimeout(() => child.kill('SIGKILL'), 10_000).unref()
    }, timeoutMs)
    child.stdout.on('data', (chunk: Buffer) => (out = (out + chunk.toString()).slice(-longestOutput)))
    child.stderr.on('data', (chunk: Buffer) => (err = (err + chunk.toString()).slice(-2000)))
    child.on('error', (error) => {
      clearTimeout(late)
      resolve({ error: noAnswer(null, error.message) })
    })
    child.on('close', (code) => {
      clearTimeout(late)
      resolve(isLate ? tooLong(timeoutMs) : (parsed(out) ?? { error: noAnswer(code, err) }))
    })
  })
}

function parsed(out: string): Answer | undefined {
  try {
    return JSON.parse(out) as Answer
  } catch {
    return undefined
  }
}

const tooLong = (timeoutMs: number): Answer => ({
  error: {
    code: 'ABORTED',
    message: `the run was ended after ${timeoutMs / 1000} seconds`,
    fix: 'ask for fewer pages, or allow more time; what was loaded stays, the next run goes on',
  },
})

/** A pipeline file that runs by itself prints what it likes. */
const noAnswer = (code: number | null, err: string) =>
  code === 0
    ? { code: 'NO_RESULT', message: 'the file ran by itself, and tells no result', fix: 'look at list_runs' }
    : { code: 'RUN_FAILED', message: err.trim().split('\n').at(-1) ?? '', fix: 'look at the last run: explain_failure' }
