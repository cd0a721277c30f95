import type { PlatformDocs } from '../../sources/chats/platform.ts'

export interface ProjectFile {
  path: string
  text: string
}

/** A pipeline of an included platform, and a test that loads from its simulator. */
export function platformFiles(docs: PlatformDocs, destination: string): ProjectFile[] {
  const { name, title } = docs
  // The first resource of a platform is one whose rows are one by one those of its simulator.
  const [{ name: table }] = docs.resources as [PlatformDocs['resources'][number]]
  return [
    {
      path: `${name}_pipeline.ts`,
      text: `import { pipeline } from 'sluice'
import { ${name} } from 'sluice/sources/${name}'

// The test sets the variable; everything else loads into ${destination}.
const destination = process.env.PIPELINE_DESTINATION ?? '${destination}'

const loading = pipeline({ name: '${name}_pipeline', destination, dataset: '${name}_data' })
console.log(String(await loading.run(${name}())))
`,
    },
    {
      path: `${name}_pipeline.test.ts`,
      text: `import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { attach } from 'sluice'
import { serve, simulation } from 'sluice/testing'

test('loads what ${title} has', async () => {
  const simulated = simulation('${name}', { size: 20, seed: 1 })!
  const server = await serve(simulated)
  const folder = mkdtempSync(join(tmpdir(), '${name}-'))
  const [secret, value] = simulated.secret
  Object.assign(process.env, {
    SLUICE_DATA_DIR: join(folder, 'data'),
    PIPELINE_DESTINATION: 'duckdb',
    DESTINATION__DUCKDB__CREDENTIALS: join(folder, 'test.duckdb'),
    SOURCES__${name.toUpperCase()}_SOURCE__BASE_URL: server.baseUrl,
    [\`SOURCES__${name.toUpperCase()}_SOURCE__\${secret.toUpperCase()}\`]: value,
  })
  for (const [key, ids] of Object.entries(simulated.settings))
    process.env[\`SOURCES__${name.toUpperCase()}_SOURCE__\${key.toUpperCase()}\`] = JSON.stringify(ids)
  try {
    await import('./${name}_pipeline.ts')
    const rows = await attach('${name}_pipeline').dataset().rowCounts()
    const { ${table}: expected } = simulated.data
    assert.equal(rows.get('${table}'), expected!.length)
  } finally {
    await server.close()
  }
})
`,
    },
    { path: '.sluice/config.toml', text: configText(docs) },
  ]
}

function configText({ name, settings }: PlatformDocs): string {
  const own = settings.filter(({ secret }) => !secret)
  return `# Settings that are no secrets. The environment comes first: SOURCES__${name.toUpperCase()}_SOURCE__BASE_URL
[sources.${name}_source]
${own.map(({ key, note }) => `# ${note}\n# ${key} = ["…"]`).join('\n')}
`
}

/** A REST source of one's own, and a test that loads from a server of the test. */
export function restFiles(name: string): ProjectFile[] {
  return [
    {
      path: `${name}.source.yaml`,
      text: `# What to load from the API. Keys are explained in docs/rest.md of Sluice; check this file with:
#   npx sluice source lint ${name}.source.yaml
#   npx sluice source probe ${name}.source.yaml
name: ${name}
client:
  base_url: { config: base_url }
  auth: { type: bearer, token: { secret: token } }
resource_defaults:
  primary_key: id
  write_disposition: merge
resources:
  - name: items
    endpoint:
      path: items
      data_selector: data
      paginator: { type: json_link, next_url_path: next }
`,
    },
    {
      path: `${name}.test.ts`,
      text: `import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pipeline } from 'sluice'
import { duckdb } from 'sluice/destinations/duckdb'
import { loadSourceFile } from 'sluice/rest'

test('${name} loads all pages', async () => {
  const server = createServer((request, response) => {
    const page = Number(new URL(request.url!, 'http://127.0.0.1').searchParams.get('page') ?? 1)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ data: [{ id: page, name: 'item ' + page }], next: page < 3 ? '/items?page=' + (page + 1) : null }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const folder = mkdtempSync(join(tmpdir(), '${name}-'))
  Object.assign(process.env, {
    SLUICE_DATA_DIR: join(folder, 'data'),
    SOURCES__${name.toUpperCase()}__BASE_URL: 'http://127.0.0.1:' + (server.address() as AddressInfo).port,
    SOURCES__${name.toUpperCase()}__TOKEN: 'token of the test',
  })
  try {
    const loading = pipeline({ name: '${name}_test', destination: duckdb({ path: join(folder, 'test.duckdb') }) })
    await loading.run(loadSourceFile('${name}.source.yaml'))
    assert.deepEqual(await loading.dataset().table('items').select('id').orderBy('id').toArray(), [{ id: 1 }, { id: 2 }, { id: 3 }])
  } finally {
    server.close()
    server.closeAllConnections()
  }
})
`,
    },
    {
      path: '.sluice/config.toml',
      text: `# Settings that are no secrets. The environment comes first: SOURCES__${name.toUpperCase()}__BASE_URL
[sources.${name}]
base_url = "https://api.example.com"
`,
    },
  ]
}

export function readme({ name, runs, destination }: { name: string; runs: string; destination: string }): string {
  const isCode = runs.endsWith('.ts')
  const pipeline = isCode ? `${name}_pipeline` : name
  return `# ${name}

Loads into ${destination} with Sluice.

\`\`\`sh
npm install
npm test            # loads from a server on this machine, without an account
\`\`\`

Secrets are stored in \`~/.sluice/secrets.toml\`, out of this folder. To see what is missing, and to set it:

\`\`\`sh
npx sluice secrets list
npx sluice secrets set <key>
\`\`\`

Then load, and look:

\`\`\`sh
npm run load
npx sluice pipeline ${pipeline} show
\`\`\`
`
}
