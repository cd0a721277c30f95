import { appendFileSync } from 'node:fs'

/**
 * The durable steps of Sluice, by name: a process that is killed right after any of them must leave nothing that a
 * further run does not put right. In the order in which a run takes them.
 */
export const failpoints = [
  // A run begins.
  'lock-drafted',
  'lock-claimed',
  'lock-written',
  'progress-recorded',
  'target-remembered',
  'building-emptied',
  // Rows become a package.
  'page-received',
  'page-written',
  'rows-flushed',
  'file-ended',
  'package-begun',
  'package-file-moved',
  'package-described',
  'package-sealed',
  // A package is loaded. On files, the steps before `version-published` are done in a scratch database.
  'load-begun',
  'table-created',
  'table-altered',
  'table-dropped',
  'table-emptied',
  'rows-appended',
  'rows-staged',
  'rows-replaced',
  'rows-merged',
  'rows-checked',
  'schema-written',
  'state-written',
  'ledger-written',
  'load-committed',
  'staging-dropped',
  'object-drafted',
  'object-uploaded',
  'version-drafted',
  'version-published',
  'old-file-removed',
  'old-version-removed',
  // The destination refuses a package.
  'package-split',
  'refusal-noted',
  'package-set-aside',
  'failed-moved-out',
  // A package is done with.
  'loaded-drafted',
  'loaded-noted',
  'package-moved-out',
  'package-removed',
  'part-removed',
  'run-recorded',
  // Rows are sent to an API.
  'send-noted',
  'send-answered',
  'send-outcome-noted',
  'journal-cleared',
  // Webhooks come in.
  'message-appended',
  'message-synced',
  // Jobs, and work items.
  'schedule-drafted',
  'schedule-written',
  'item-enqueued',
  'item-claimed',
  'item-completed',
] as const

export type Failpoint = (typeof failpoints)[number]

/**
 * Says that a durable step was just done. For tests, two environment variables act on it: `SLUICE_FAILPOINT=<name>:<n>`
 * ends the process by SIGKILL when it passes the step for the n-th time, `SLUICE_FAILPOINT_LOG=<file>` writes down each
 * step that is passed. Without them it does nothing.
 */
export const failpoint: (name: Failpoint) => void = armed(
  process.env.SLUICE_FAILPOINT,
  process.env.SLUICE_FAILPOINT_LOG,
)

function armed(kill: string | undefined, log: string | undefined): (name: Failpoint) => void {
  if (kill === undefined && log === undefined) return () => undefined
  const [name, count = '1'] = kill?.split(':') ?? []
  if (name !== undefined && !(failpoints as readonly string[]).includes(name)) {
    throw new Error(`SLUICE_FAILPOINT: there is no step "${name}"; there is: ${failpoints.join(', ')}`)
  }
  let left = Number(count)
  return (passed) => {
    if (log !== undefined) appendFileSync(log, `${passed}\n`)
    if (passed !== name || --left > 0) return
    process.kill(process.pid, 'SIGKILL')
    // The signal comes from outside: until then, nothing more may be done.
    for (;;);
  }
}
