import { PipelineError } from '../../index.ts'
import type { Channel } from './channels.ts'
import { alertKinds, type Alert, type AlertKind } from './conditions.ts'

export interface AlertOptions {
  to: Channel | readonly Channel[]
  /** @default all kinds */
  on?: readonly AlertKind[]
  /** What is still open is told again after so many hours. @default 24 */
  remindAfterHours?: number
}

/** Who is told of what. */
export class Alerts {
  readonly channels: readonly Channel[]
  readonly kinds: readonly AlertKind[]
  readonly remindAfterMs: number

  constructor({ to, on = alertKinds, remindAfterHours = 24 }: AlertOptions) {
    this.channels = [to].flat()
    this.kinds = on
    this.remindAfterMs = remindAfterHours * 3_600_000
    const unknown = on.find((kind) => !alertKinds.includes(kind))
    if (unknown !== undefined)
      throw new PipelineError(`alerts: there is no kind "${unknown}"`, {
        code: 'WRONG_USE',
        fix: `use some of: ${alertKinds.join(', ')}`,
      })
  }
}

/** Declares alerts; exported from `sluice.jobs.ts`, the schedule sends them. */
export const alerts = (options: AlertOptions): Alerts => new Alerts(options)

/** What a channel was told: open alerts by their ids, with when. */
export type Told = Record<string, { alert: Alert; at: string }>

export interface Decision {
  opened: Alert[]
  closed: Alert[]
  /** What the channel has been told once this is sent. */
  told: Told
}

/** What is to be told now, in one message, given what was told before. */
export function toTell({ kinds, remindAfterMs }: Alerts, open: readonly Alert[], told: Told, now: Date): Decision {
  const wanted = open.filter(({ kind }) => kinds.includes(kind))
  const isDue = ({ id, isEvent }: Alert): boolean => {
    const before = told[id]
    if (before === undefined) return true
    return isEvent !== true && now.getTime() - Date.parse(before.at) >= remindAfterMs
  }
  const opened = wanted.filter(isDue)
  const isOpen = new Set(wanted.map(({ id }) => id))
  const over = Object.entries(told).filter(([id]) => !isOpen.has(id))
  const next: Told = {}
  for (const alert of wanted) next[alert.id] = isDue(alert) ? { alert, at: now.toISOString() } : told[alert.id]!
  return { opened, closed: over.map(([, { alert }]) => alert).filter(({ isEvent }) => isEvent !== true), told: next }
}
