import type { ComponentChildren, JSX } from 'preact'
import type { Refused } from '../server.ts'

/** What stands where there is nothing, as carefully as what stands there otherwise. */
export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element => (
  <div class="empty">
    <h2>{title}</h2>
    {children !== undefined && <p>{children}</p>}
  </div>
)

export const Problem = ({ code, message, fix }: { code: string; message: string; fix: string }): JSX.Element => (
  <div class="problem" role="alert">
    <p>
      <strong>{code}</strong> {message}
    </p>
    <p class="fix">
      <span>fix</span> {fix}
    </p>
  </div>
)

export const Failed = ({ error }: { error: Refused }): JSX.Element => (
  <Problem code={error.code} message={error.message} fix={error.fix} />
)

/** Something that looks wrong though nothing failed. */
export const Hint = ({ children }: { children: ComponentChildren }): JSX.Element => <p class="suspicion">{children}</p>

/** Until an answer is there: nothing at first, a word when it takes long. */
export const Waiting = ({ isLate, what }: { isLate: boolean; what: string }): JSX.Element => (
  <p class="waiting" aria-live="polite">
    {isLate ? `Reading ${what}…` : '\u00a0'}
  </p>
)
