import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { afterEach, beforeEach } from 'vitest'
import { signal, treeOf } from './processes.ts'

/** Processes of the current test; those of `beforeAll` belong to the file. */
const started = new Set<ChildProcess>()
subscribe('child_process', (message) => started.add((message as { process: ChildProcess }).process))

beforeEach(() => started.clear())

/**
 * A test that timed out or failed may leave processes that go on holding a pipeline, a port or a lock. They end before the
 * next test starts, with everything that they have started.
 */
afterEach(({ task }) => {
  if (task.result?.state !== 'fail') return
  for (const child of started) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) continue
    for (const pid of treeOf(child.pid)) signal(pid, 'SIGKILL')
  }
})
