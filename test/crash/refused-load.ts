import { incremental, pipeline, resource, source, type Pipeline, type Source } from '../../src/index.ts'
import { faultyDuckdb, type Fault } from '../support/faulty-duckdb.ts'

/** Rows that come page by page, so that a run has several packages. */
const log = (name: string, last: number) =>
  resource(
    name,
    ({ cursor }) =>
      Array.from({ length: last }, (_, at) => ({ id: at + 1 }))
        .filter(({ id }) => id > Number(cursor!.startValue ?? 0))
        .map((row) => [row]),
    { incremental: incremental('id', { rowOrder: 'asc' }) },
  )

export const rows = (last: number): Source => source('shop', [log('a', last), log('b', last), log('c', last)])

export const targetIn = (path: string, fault: { now: Fault | undefined }): Pipeline =>
  pipeline({ name: 'refused', dataset: 'd', destination: faultyDuckdb(path, fault), package: { maxBytes: 1 } })

/** In a process of its own: loads once without a fault, then with one. */
if (import.meta.main) {
  const [path, discards] = process.argv.slice(2) as [string, string?]
  const fault: { now: Fault | undefined } = { now: undefined }
  const target = targetIn(path, fault)
  await target.run(rows(2))
  fault.now = { table: 'b', kind: 'refuses', from: 2 }
  await target.run(rows(6)).catch(() => undefined)
  if (discards !== undefined)
    for (const { manifest } of target.failedPackages()) target.discardFailedPackage(manifest.loadId)
}
