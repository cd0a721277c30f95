import type { Destination } from '../../destinations/index.ts'
import { pipeline, type Pipeline, type RunOptions } from '../../pipeline/index.ts'

export type Row = Record<string, unknown>

/** An empty dataset of a destination, and ways to look at it. */
export interface ConformanceTarget {
  destination: Destination
  dataset: string
}

/** One promise that every destination keeps. `run` throws when it is broken; any test runner can call it. */
export interface ConformanceCase {
  title: string
  run(target: ConformanceTarget): Promise<void>
}

/** A pipeline into the target, and short ways to load and read. */
export class Bench {
  readonly pipeline: Pipeline
  readonly dataset: string

  constructor({ destination, dataset }: ConformanceTarget, name = 'conformance') {
    this.pipeline = pipeline({ name, dataset, destination })
    this.dataset = dataset
  }

  load(rows: readonly unknown[], options: RunOptions = {}) {
    return this.pipeline.run(rows as unknown[], { tableName: 't', ...options })
  }

  /** Rows of a table by one of its columns, dlt's columns left out. */
  async rows(table = 't', order = 'id'): Promise<Row[]> {
    const rows = await this.pipeline.dataset().table<Row>(table).toArray()
    const plain = rows.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('_dlt_'))),
    )
    return plain.sort((a, b) => String(a[order]).localeCompare(String(b[order]), 'en', { numeric: true }))
  }

  /** Names of the tables that hold data. */
  async tables(): Promise<string[]> {
    return [...(await this.pipeline.dataset().tables()).keys()]
  }
}
