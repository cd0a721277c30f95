import { appendFileSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { syncFolder } from '../disk/index.ts'
import { failpoint } from '../failpoints/index.ts'

/** How the sending of a row went. */
export interface Outcome {
  status: 'sent' | 'refused' | 'unknown'
  answer?: unknown
  error?: string
}

/** Or it was not sent after all. */
export type Ended = Outcome | { status: 'released' }

type Line = { run: string } | { key: string; begun: string } | { key: string; ended: string; outcome: Ended }

/** What an earlier process on this machine has left. */
export interface Remains {
  /** Its runs: what they have claimed and not begun can be sent. */
  runs: string[]
  /** Rows that were begun; those without an outcome may have arrived. */
  rows: Map<string, { at: string; outcome: Ended | undefined }>
}

/** Says on disk that a row is about to be sent, before it is: after a crash, nobody sends it again by mistake. */
export class Journal {
  private readonly path: string
  private file: number | undefined

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.path = join(folder, 'journal.jsonl')
  }

  /** A last line that is not whole was never acted on. */
  remains(): Remains {
    const remains: Remains = { runs: [], rows: new Map() }
    if (!existsSync(this.path)) return remains
    for (const text of readFileSync(this.path, 'utf8').split('\n').slice(0, -1)) {
      const line = JSON.parse(text) as Line
      if ('run' in line) remains.runs.push(line.run)
      else if ('begun' in line) remains.rows.set(line.key, { at: line.begun, outcome: undefined })
      else remains.rows.set(line.key, { at: line.ended, outcome: line.outcome })
    }
    return remains
  }

  run(run: string): void {
    this.write({ run })
  }

  begin(key: string): void {
    this.write({ key, begun: new Date().toISOString() })
  }

  end(key: string, outcome: Ended): void {
    this.write({ key, ended: new Date().toISOString(), outcome })
  }

  /** Everything in it stands in the results. */
  clear(): void {
    if (this.file !== undefined) closeSync(this.file)
    this.file = undefined
    rmSync(this.path, { force: true })
    failpoint('journal-cleared')
  }

  private write(line: Line): void {
    if (this.file === undefined) {
      this.file = openSync(this.path, 'a', 0o600)
      syncFolder(dirname(this.path))
    }
    appendFileSync(
      this.file,
      `${JSON.stringify(line)}
`,
    )
    fsyncSync(this.file)
    failpoint('outcome' in line ? 'send-outcome-noted' : 'send-noted')
  }
}
