import type { FoundSetting } from '../config/index.ts'
import type { ExtractEvent } from '../extract/index.ts'
import type { Refusal } from '../package/index.ts'
import type { CheckResult, EmptiedTable, SchemaChange, TableSpan } from '../load/index.ts'

/** Everything a run does, in the order it happens. */
export type RunEvent =
  | {
      type: 'run-started'
      /** The id of the run, as it stands in the history. */
      run: string
      pipeline: string
      destination: string
      location: string
      dataset: string
      resources: string[]
      /** The part of the pipeline's data that is loaded. */
      partition?: string
    }
  /** Another process, or a reader in this one, has the destination open; the run starts when it is closed. */
  | { type: 'destination-wait'; holder: string }
  | ExtractEvent
  /** `replace` has emptied a table that had rows, and this run has none for it. */
  | { type: 'notice'; notice: { kind: 'table-emptied' } & EmptiedTable }
  /** A setting of the configuration was used: its name, never its value. */
  | ({ type: 'setting' } & FoundSetting)
  | { type: 'package-sealed'; loadId: string; rows: number; bytes: number }
  | {
      type: 'package-loaded'
      loadId: string
      rows: Record<string, number>
      bytes: Record<string, number>
      ms: number
      changes: SchemaChange[]
      failedChecks: CheckResult[]
      spans: TableSpan[]
      recovered: boolean
    }
  /** Set aside for good, as a whole or some of its resources; see `failed-packages`. */
  | { type: 'package-refused'; loadId: string; refusals: Refusal[]; recovered: boolean; displaced: string[] }
  /** It belongs to another destination or dataset, and waits for a run that goes there. */
  | { type: 'package-left'; loadId: string; dataset: string; location?: string }
  | { type: 'run-finished'; ms: number }
  | { type: 'run-failed'; error: unknown; ms: number }

export type EventListener = (event: RunEvent) => void

/** Fans events out to listeners. A listener that throws must not break the run, nor the other listeners. */
export class EventStream {
  private readonly listeners = new Set<EventListener>()

  on(listener: EventListener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  readonly emit = (event: RunEvent): void => {
    for (const listener of this.listeners) {
      try {
        listener(event)
      } catch (error) {
        process.emitWarning(`an event listener failed: ${String(error)}`)
      }
    }
  }
}
