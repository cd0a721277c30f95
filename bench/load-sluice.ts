/** One load with Sluice, measured: `node bench/load-sluice.ts <baseUrl> <shape> <destination> <target>`. */
import { duckdb } from '../src/destinations/duckdb/duckdb.ts'
import { filesystem } from '../src/destinations/filesystem/filesystem.ts'
import { postgres } from '../src/destinations/postgres/postgres.ts'
import { pipeline, type Destination } from '../src/index.ts'
import { restSource } from '../src/sources/rest/index.ts'
import { measured } from './measured.ts'

const [baseUrl, shape, destination, target, disposition = 'append'] = process.argv.slice(2) as string[]

const destinations: Record<string, () => Destination> = {
  duckdb: () => duckdb({ path: target! }),
  postgres: () => postgres({ url: target! }),
  parquet: () => filesystem({ bucketUrl: target! }),
}
const source = restSource({
  name: 'bench',
  client: { baseUrl: baseUrl! },
  resourceDefaults:
    disposition === 'merge' ? { writeDisposition: 'merge', primaryKey: 'id' } : { writeDisposition: 'append' },
  resources: [
    {
      name: shape!,
      endpoint: { path: shape!, dataSelector: 'data', paginator: { type: 'json_link', nextUrlPath: 'next' } },
    },
  ],
})
const loading = pipeline({ name: `bench_${shape}`, dataset: 'bench', destination: destinations[destination!]!() })
const stages: Record<string, number> = {}
const begun = performance.now()
loading.on((event) => {
  if (event.type === 'package-sealed') {
    stages.extractedMs = performance.now() - begun
    stages.extractedRssMiB = process.resourceUsage().maxRSS / 1024
  }
  if (event.type === 'package-loaded') stages.loadMs = (stages.loadMs ?? 0) + event.ms
})
await measured(() => loading.run(source), stages)
