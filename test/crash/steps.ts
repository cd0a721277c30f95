import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Trial } from './trial.ts'

/** Runs a load that nobody kills, and counts how often it passes each durable step, at least, on any machine. */
export async function stepsOf(trial: Trial): Promise<Map<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-steps-'))
  const log = join(folder, 'passed')
  const ended = await trial.run(undefined, { SLUICE_FAILPOINT_LOG: log })
  if (ended.killed || ended.failed) throw new Error(`the load without kills failed: ${ended.errors}`)
  const passes = new Map<string, number>()
  for (const step of readFileSync(log, 'utf8').trimEnd().split('\n')) passes.set(step, (passes.get(step) ?? 0) + 1)
  rmSync(folder, { recursive: true })
  // Written again each second that a run takes; a run that takes less writes it once.
  passes.set('progress-recorded', passes.get('run-recorded')!)
  return passes
}
