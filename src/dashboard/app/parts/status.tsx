import type { JSX } from 'preact'
import type { RunRecord, RunStatus } from '../../api.ts'
import { age, moment } from '../format.ts'

const signs: Record<RunStatus, string> = { done: '✓', failed: '✗', died: '✗', running: '●' }
const words: Record<RunStatus, string> = { done: 'done', failed: 'failed', died: 'died', running: 'running' }

/** The state of a run as a sign with a colour; the word stands behind it, or in its title. */
export function Mark({ status }: { status: RunStatus | undefined }): JSX.Element {
  if (status === undefined) {
    return (
      <span class="mark none" title="no run on record">
        –
      </span>
    )
  }
  return (
    <span class={`mark ${status}`} title={words[status]} role="img" aria-label={words[status]}>
      {signs[status]}
    </span>
  )
}

export const Status = ({ status }: { status: RunStatus }): JSX.Element => (
  <span class={`status ${status}`}>
    <span aria-hidden="true">{signs[status]}</span> {words[status]}
  </span>
)

/** What became of a load package in a run. */
export function packageState(run: RunRecord, { loadId, loadedMs }: RunRecord['packages'][number]): string {
  if (loadedMs !== undefined) return 'loaded'
  if (run.refusedPackages?.some((one) => one.loadId === loadId) === true) return 'set aside'
  return run.status === 'running' ? 'loading' : 'not loaded'
}

/** How long ago; the exact time on hover. */
export const Age = ({ at }: { at: string }): JSX.Element => (
  <time dateTime={at} title={`${moment(at)} UTC`}>
    {age(at)}
  </time>
)
