import { basename } from 'node:path'
import { environmentName, redact, type Source } from '../index.ts'
import { platformByName } from '../sources/chats/registry.ts'
import type { PlatformDocs } from '../sources/chats/platform.ts'
import { loadSourceFile, readSourceSpec, secretsOf, type RestSourceSpec } from '../sources/rest/index.ts'
import { code, heading, paragraph, type Block } from './document.ts'

/** What a page about a source tells; everything else about it is the same on all pages. */
export interface SourceFacts {
  /** The platform's name, or the name of the source. */
  name: string
  title: string
  intro: string
  /** What it is run by: a platform's name or a file. */
  runs: string
  pipeline: string
  dataset: string
  /** The section of its settings. */
  section: string
  auth: string
  credentials: readonly string[]
  settings: PlatformDocs['settings']
  resources: ResourceFacts[]
  /** A program that loads it. */
  example: string
  troubleshooting: PlatformDocs['troubleshooting']
  actions: PlatformDocs['actions']
  corrections: readonly string[]
  hasSimulator: boolean
}

export interface ResourceFacts {
  name: string
  reads: string
  dataSelector: string
  paging: string
  key: string
  cursor: string
  parent: string
  note: string
}

/** What is known of a platform, or of a source file. */
export async function sourceFacts(name: string): Promise<SourceFacts> {
  const platform = await platformByName(name)
  if (platform !== undefined) return platformFacts(platform.docs, platform())
  return fileFacts(name, readSourceSpec(name), loadSourceFile(name))
}

function platformFacts(docs: PlatformDocs, source: Source): SourceFacts {
  const { name, title, about, baseUrl, auth } = docs
  return {
    name,
    title,
    intro: `${about} The base URL of its REST API is \`${baseUrl}\`. ${auth}`,
    runs: name,
    pipeline: `${name}_pipeline`,
    dataset: `${name}_data`,
    section: `sources.${name}_source`,
    auth,
    credentials: docs.credentials,
    settings: docs.settings,
    resources: docs.resources.map(({ name: resource, reads, note }) => ({
      ...resourceFacts(source, resource),
      reads,
      note,
    })),
    example: `
import { pipeline } from 'sluice'
import { ${name} } from 'sluice/sources/${name}'

const chats = pipeline({ name: '${name}_pipeline', destination: 'duckdb', dataset: '${name}_data' })
console.log(String(await chats.run(${name}())))`,
    troubleshooting: docs.troubleshooting,
    actions: docs.actions,
    corrections: docs.corrections,
    hasSimulator: true,
  }
}

function fileFacts(file: string, spec: RestSourceSpec, source: Source): SourceFacts {
  const { baseUrl, auth: given } = spec.client
  const kind =
    given === undefined ? 'none' : typeof given === 'string' ? given : 'type' in given ? given.type : 'bearer'
  const auth =
    kind === 'none' ? 'Requests go without credentials.' : `Requests carry credentials of the kind \`${kind}\`.`
  const address = typeof baseUrl === 'string' ? `\`${redact(baseUrl)}\`` : 'a setting'
  const { name } = spec
  return {
    name,
    title: name,
    intro: `The source file \`${basename(file)}\` loads ${source.selected.length} resources. The base URL is ${address}. ${auth}`,
    runs: file,
    pipeline: name,
    dataset: `${name}_dataset`,
    section: `sources.${name}`,
    auth,
    credentials: [],
    settings: secretsOf(spec).map((key) => ({ key, secret: true, note: '' })),
    resources: source.resources
      .filter(({ options }) => options.selected !== false)
      .map(({ name: resource }) => resourceFacts(source, resource)),
    example: `
import { pipeline } from 'sluice'
import { loadSourceFile } from 'sluice/rest'

const loading = pipeline({ name: '${name}', destination: 'duckdb' })
console.log(String(await loading.run(loadSourceFile(${JSON.stringify(file)}))))`,
    troubleshooting: [],
    actions: [],
    corrections: [],
    hasSimulator: false,
  }
}

/** What the code of a source declares about a resource. */
function resourceFacts(source: Source, name: string): ResourceFacts {
  const resource = source.resources.find((one) => one.name === name)
  // A page must not tell of a resource that is not there.
  if (resource === undefined) throw new Error(`${source.name} has no resource "${name}"`)
  // What is made of another resource's rows is asked for where that one is.
  const asked = resource.endpoint ?? resource.upstream?.endpoint
  const { primaryKey, incremental } = resource.options
  const hasParent = resource.upstream !== undefined && !resource.upstream.name.startsWith('configured_')
  const isHidden = resource.upstream?.options.selected === false
  return {
    name,
    reads: asked === undefined ? 'no request of its own' : `${asked.method} /${shownPath(asked.path)}`,
    dataSelector: asked?.dataSelector ?? '',
    paging: asked?.paginator === 'single_page' ? '' : (asked?.paginator ?? ''),
    key: [primaryKey ?? []].flat().join(', '),
    cursor: asked?.cursor ?? incremental?.cursorPath ?? '',
    parent: hasParent && !isHidden ? resource.upstream.name : '',
    note: '',
  }
}

/** `visitors/{resources.visitors.id}` as `visitors/{visitors.id}`. */
const shownPath = (path: string): string => path.replace(/^\//, '').replaceAll('{resources.', '{')

/** The page of a source. `sample` is what the commands of the page print. */
export function sourcePage(facts: SourceFacts, sample?: string): Block[] {
  const { name, title, intro } = facts
  return [
    heading(1, title),
    paragraph(`Load ${title} into a database with Sluice, by hand or with Claude Code, Cursor, Codex or VS Code.`),
    paragraph(intro),
    paragraph(
      'Sluice is the data loading library for TypeScript: it handles credentials, paging, limits and changes of the schema, and loads typed tables.',
    ),
    heading(2, `What data can I load from ${title}?`),
    resourceTable(facts.resources),
    ...authentication(facts),
    ...running(facts, sample),
    heading(2, 'TypeScript pipeline example'),
    paragraph(`All resources of the table above, into DuckDB. Save it as \`${name}_pipeline.ts\`:`),
    code('ts', facts.example),
    paragraph('Some of them: `.withResources(…)` on the source, with names of the table.'),
    ...querying(facts),
    ...destinations(facts),
    ...troubleshooting(facts),
    ...extras(facts),
    heading(2, 'Next steps'),
    code('sh', 'npx sluice ai toolkit data-exploration install\nnpx sluice ai toolkit runtime install'),
    paragraph('The first brings notebooks and charts, the second schedules and deployment.'),
  ]
}

function resourceTable(resources: readonly ResourceFacts[]): Block {
  const columns: [string, (one: ResourceFacts) => string][] = [
    ['Resource', ({ name }) => `\`${name}\``],
    ['Endpoint', ({ reads }) => reads],
    ['Data selector', ({ dataSelector }) => coded(dataSelector)],
    ['Paging', ({ paging }) => paging],
    ['Key', ({ key }) => coded(key)],
    ['Cursor', ({ cursor }) => coded(cursor)],
    ['Parent', ({ parent }) => coded(parent)],
    ['Description', ({ note }) => note],
  ]
  // A column that says nothing for any resource is left out.
  const shown = columns.filter(([, cell]) => resources.some((one) => cell(one) !== ''))
  return {
    kind: 'table',
    columns: shown.map(([title]) => title),
    rows: resources.map((one) => shown.map(([, cell]) => cell(one))),
  }
}

const coded = (text: string): string => (text === '' ? '' : `\`${text}\``)

function authentication({ title, auth, credentials, section, settings }: SourceFacts): Block[] {
  const secrets = settings.filter(({ secret }) => secret)
  const [first] = secrets
  return [
    heading(2, `How do I authenticate with the ${title} API?`),
    paragraph(auth),
    ...(credentials.length === 0
      ? []
      : [heading(3, '1. Get your credentials'), { kind: 'list', items: credentials, ordered: true } as const]),
    ...(first === undefined
      ? []
      : [
          heading(3, `${credentials.length === 0 ? '' : '2. '}Set them`),
          code('sh', secrets.map(({ key }) => `npx sluice secrets set ${section}.${key}`).join('\n')),
          paragraph('asks for the value in your terminal. `~/.sluice/secrets.toml` then holds:'),
          code('toml', `[${section}]\n${secrets.map(({ key }) => `${key} = "…"`).join('\n')}`),
          paragraph(
            `With \`--project\`, \`.sluice/secrets.toml\` of the project holds it instead. An existing \`.dlt/secrets.toml\` is read as well. In production, set the environment variable \`${environmentName([...section.split('.'), first.key])}\`. \`npx sluice secrets list\` shows what is set, never the value.`,
          ),
        ]),
    ...(settings.length === secrets.length
      ? []
      : [
          heading(3, 'Settings'),
          {
            kind: 'table',
            columns: ['Setting', 'Kind', 'Description'],
            rows: settings.map(({ key, secret, note }) => [`\`${key}\``, secret ? 'secret' : 'setting', note]),
          } as const,
          paragraph(
            `Those that are no secrets stand under \`[${section}]\` in \`.sluice/config.toml\`, or in the environment.`,
          ),
        ]),
  ]
}

function running({ name, title, runs, pipeline, hasSimulator }: SourceFacts, sample: string | undefined): Block[] {
  const isPlatform = runs === name
  return [
    heading(2, 'How do I set up and run the pipeline?'),
    code('sh', 'npm install sluice'),
    heading(3, '1. Set up your assistant'),
    code('sh', 'npx sluice ai init --agent claude'),
    paragraph(
      'or `cursor`, `codex`, `vscode`, several with commas. It installs rules, the skill for secrets, the MCP server, and guards that keep assistants out of `secrets.toml`.',
    ),
    heading(3, '2. Install the rest-api-pipeline toolkit'),
    code('sh', 'npx sluice ai toolkit rest-api-pipeline install'),
    heading(3, '3. Ask your assistant'),
    code('text', `Use /find-source to load data from the ${title} API into DuckDB.`),
    paragraph('Or do it by hand:'),
    heading(3, '4. Run the pipeline'),
    ...(isPlatform
      ? [code('sh', `npx sluice init ${name} duckdb`), paragraph('writes a pipeline, its settings and a test; then:')]
      : []),
    code('sh', isPlatform ? `node ${name}_pipeline.ts` : `npx sluice run ${runs}`),
    ...(hasSimulator
      ? [
          paragraph(
            'Without an account, a simulator of the API runs on your machine, with its paging, limits and errors, and prints what to set:',
          ),
          code('sh', `npx sluice source simulate ${name} --size 20`),
        ]
      : []),
    heading(3, 'Look at the pipeline and its data'),
    code('sh', `npx sluice pipeline ${pipeline} show`),
    paragraph('shows the tables, and opens the dashboard with runs, schema, data and requests.'),
    ...(sample === undefined ? [] : [paragraph('Loaded from that simulator:'), code('text', sample)]),
  ]
}

function querying({ title, pipeline, dataset, resources }: SourceFacts): Block[] {
  const table = resources[0]!.name
  return [
    heading(2, 'How do I query the loaded data?'),
    paragraph(`There is a table for each resource of ${title}, and one for each list nested in its rows.`),
    code(
      'ts',
      `
import { attach } from 'sluice'

const data = attach('${pipeline}').dataset()
for (const row of await data.table('${table}').limit(10).toArray()) console.log(row)`,
    ),
    code('sh', `npx sluice pipeline ${pipeline} query 'select * from ${dataset}.${table} limit 10'`),
    paragraph('In a notebook, `.toArrow()`, `.toPolars()` and `.toParquet(path)` give the same rows with their types.'),
  ]
}

function destinations({ title, pipeline }: SourceFacts): Block[] {
  return [
    heading(2, `What destinations can I load ${title} data to?`),
    paragraph(`Only the word changes: \`pipeline({ name: '${pipeline}', destination: 'postgres' })\`.`),
    {
      kind: 'table',
      columns: ['Destination', 'Name'],
      rows: [
        ['DuckDB, a local file; the default', '`duckdb`'],
        ['PostgreSQL', '`postgres`'],
        ['BigQuery', '`bigquery`'],
        ['Snowflake', '`snowflake`'],
        ['Redshift', '`redshift`'],
        ['Databricks', '`databricks`'],
        ['Files on disk, S3, Google Cloud or Azure', '`filesystem`'],
      ],
    },
  ]
}

function troubleshooting({ troubleshooting: cases, runs, name, pipeline }: SourceFacts): Block[] {
  return [
    heading(2, 'Troubleshooting'),
    ...cases.flatMap(({ topic, text }) => [heading(3, topic), paragraph(text)]),
    ...(runs === name
      ? []
      : [code('sh', `npx sluice source probe ${runs}`), paragraph('asks once for each resource.')]),
    code('sh', `npx sluice pipeline ${pipeline} explain`),
    paragraph('says why the last run failed, or loaded too little, and what to do.'),
  ]
}

function extras({ name, title, actions, corrections }: SourceFacts): Block[] {
  return [
    ...(actions.length === 0
      ? []
      : [
          heading(2, 'Actions'),
          paragraph('Writes. They are called on purpose and are never part of a load.'),
          {
            kind: 'list',
            items: actions.map((one) => `\`${name}.actions.${one.name}({ … })\`: ${one.note}`),
          } as const,
        ]),
    ...(corrections.length === 0
      ? []
      : [
          heading(2, `Where the ${title} API differs from what is said of it`),
          { kind: 'list', items: corrections } as const,
        ]),
  ]
}
