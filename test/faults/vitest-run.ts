import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { signal as send, treeOf } from '../support/processes.ts'
import { seed } from '../support/seed.ts'

/** A test by its file and its whole title: `suite > test`. */
export interface TestName {
  file: string
  title: string
}

export interface TestRun {
  passed: TestName[]
  failed: TestName[]
  /** Vitest ended well: no test failed, and nothing went wrong outside of tests. */
  succeeded: boolean
  /** The run was ended because it took too long. */
  hung: boolean
  /** The last lines that Vitest printed. */
  output: string
  ms: number
}

export interface TestRunOptions {
  files: readonly string[]
  /** Parts of titles; only these tests run. */
  titles?: readonly string[]
  /** Only tests of `npm test`. */
  quickOnly?: boolean
  stopAtFirst?: boolean
  limitMs: number
  signal: AbortSignal
}

/** Time to stop servers after the limit, before the process group is killed. */
const graceMs = 10_000

/** Runs test files of a checkout in a process group of their own. */
export async function runVitest(folder: string, options: TestRunOptions): Promise<TestRun> {
  const { files, titles = [], quickOnly = false, stopAtFirst = false, limitMs, signal } = options
  const report = join(tmpdir(), `sluice-faults-${randomUUID()}.json`)
  const pattern = titles.map((title) => RegExp.escape(title)).join('|')
  const begun = performance.now()
  const child = spawn(
    process.execPath,
    [
      join('node_modules', 'vitest', 'vitest.mjs'),
      'run',
      ...files,
      ...(quickOnly ? ['--tags-filter=!slow and !engine'] : []),
      '--reporter=json',
      `--outputFile=${report}`,
      ...(pattern === '' ? [] : ['--testNamePattern', pattern]),
      ...(stopAtFirst ? ['--bail=1'] : []),
    ],
    {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, SLUICE_TEST_SEED: String(seed) },
    },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output = (output + String(chunk)).slice(-4000)))
  }
  let hung = false
  const timers = [
    setTimeout(() => {
      hung = true
      endGroup(child.pid, 'SIGINT')
    }, limitMs),
    setTimeout(() => killAll(child.pid), limitMs + graceMs),
  ]
  const abort = (): void => killAll(child.pid)
  signal.addEventListener('abort', abort)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    signal.throwIfAborted()
    const tests = readReport(report, folder)
    // With servers to stop, the exit code is not always that of the tests.
    const succeeded = code === 0 && !hung && tests.failed.length === 0
    return { ...tests, succeeded, hung, output, ms: performance.now() - begun }
  } finally {
    timers.forEach(clearTimeout)
    signal.removeEventListener('abort', abort)
    // Whatever a test has left running belongs to the group.
    endGroup(child.pid, 'SIGKILL')
    rmSync(report, { force: true })
  }
}

interface Report {
  testResults: {
    name: string
    assertionResults: { status: string; ancestorTitles: string[]; title: string }[]
  }[]
}

function readReport(path: string, folder: string): Pick<TestRun, 'passed' | 'failed'> {
  let report: Report
  try {
    report = JSON.parse(readFileSync(path, 'utf8')) as Report
  } catch {
    return { passed: [], failed: [] }
  }
  const withStatus = (wanted: string): TestName[] =>
    report.testResults.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === wanted)
        .map(({ ancestorTitles, title }) => ({
          file: relative(folder, name),
          title: [...ancestorTitles, title].join(' > '),
        })),
    )
  return { passed: withStatus('passed'), failed: withStatus('failed') }
}

/** Also what has a process group of its own, such as a browser. */
function killAll(pid: number | undefined): void {
  for (const one of pid === undefined ? [] : treeOf(pid)) send(one, 'SIGKILL')
  endGroup(pid, 'SIGKILL')
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // The group has ended in the meantime.
  }
}
