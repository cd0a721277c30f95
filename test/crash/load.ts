import { duckdb } from '../../src/destinations/duckdb/duckdb.ts'
import { pipeline } from '../../src/index.ts'
import { crashSource, type Rows } from './crash-source.ts'

/** The load that is killed: rows come from a server in pages, packages are small, so that a run has many. */
const [baseUrl, path, mode] = process.argv.slice(2)

const read = async (name: string, after: number): Promise<Rows> =>
  (await (await fetch(`${baseUrl}/${name}?after=${after}`)).json()) as Rows

const loading = pipeline({
  name: 'crash',
  dataset: 'data',
  destination: duckdb({ path: path! }),
  package: { maxBytes: 20_000 },
})
const given = crashSource(read, mode as 'merge' | 'replace')
console.log(JSON.stringify((await loading.run(given)).rows))
// The second line that a process prints is a further run, which must find nothing.
if (mode === 'merge') console.log(JSON.stringify((await loading.run(given)).rows))
