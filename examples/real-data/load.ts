/**
 * Loads data that nobody made for this: films, emoji, and what browsers support.
 *
 *   npm run example
 */
import { pipeline, type LoadInfo, type Pipeline } from '../../src/index.ts'
import { restSource } from '../../src/sources/rest/index.ts'
import { serveRealData } from './server.ts'

export async function loadRealData(loading: Pipeline): Promise<LoadInfo> {
  const server = await serveRealData()
  try {
    return await loading.run(
      restSource({
        name: 'real_data',
        client: { baseUrl: server.baseUrl },
        resourceDefaults: { writeDisposition: 'replace' },
        // Nothing says how these page, nor where the rows are: both are found out from the first answer.
        resources: ['movies', 'emoji', 'features'],
      }),
    )
  } finally {
    server.close()
  }
}

if (import.meta.main) {
  const loading = pipeline({ name: 'real_data', dataset: 'real' })
  console.log(String(await loadRealData(loading)))
  const rows = await loading
    .dataset()
    .query(
      'select major_genre, count(*) as films, avg(imdb_rating) as rating from real.movies group by 1 order by 2 desc',
    )
    .toArray()
  console.table(rows)
}
