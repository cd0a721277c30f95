import { PipelineError } from '../../index.ts'
import { platformByName, platformNames, type AnyPlatform } from '../../sources/chats/registry.ts'
import { serve, simulation } from '../../sources/simulators/index.ts'
import { done, parseCommand, printJson, type CommandResult } from '../command.ts'
import { searchCatalogue, sourceCatalogue } from '../../workbench/source-catalogue.ts'
import { sourceDocs } from '../source-docs.ts'
import { clean, style, wrap } from '../style.ts'
import { fromOpenApi, lint, login, probe } from './source-files.ts'

const usage = `
sluice source list [words]                 platforms, source files, OpenAPI files
sluice source docs <platform | file>       a page about it
                   [--format md,html,text] [--output folder]
sluice source from-openapi <file | url> [--output file --name n --force
                                         --only /path,tag]
sluice source lint <name.source.yaml>      without asking the API
sluice source probe <name.source.yaml>     one request for each resource
                   [--resources a,b]
sluice source login <name.source.yaml>     OAuth: agree once in a browser
sluice source simulate <platform> [--size n --seed n --port n --page-size n
                                   --shape name --latency ms --limit n]
sluice source call <platform> <action> --input '{"clientId": "…", "text": "…"}'

  --json   output as JSON
`

export async function run(args: string[]): Promise<CommandResult> {
  const parsed = parseCommand(args, usage, {
    size: { type: 'string' },
    seed: { type: 'string' },
    port: { type: 'string' },
    'page-size': { type: 'string' },
    shape: { type: 'string' },
    latency: { type: 'string' },
    limit: { type: 'string' },
    input: { type: 'string' },
    'base-url': { type: 'string' },
    output: { type: 'string', short: 'o' },
    name: { type: 'string' },
    only: { type: 'string' },
    force: { type: 'boolean' },
    resources: { type: 'string' },
    format: { type: 'string' },
  })
  if (parsed === undefined) return done
  const { values, positionals } = parsed
  const [action, name, ...rest] = positionals
  switch (action) {
    case 'list':
      await list(positionals.slice(1).join(' '), values.json === true)
      return done
    case 'docs':
      return sourceDocs(positionals.slice(1), values)
    case 'lint':
      return lint(name, values.json === true)
    case 'from-openapi':
      return fromOpenApi(name, values)
    case 'probe':
      return probe(name, values)
    case 'login':
      return login(name)
    case 'simulate':
      return simulate(name, values)
    case 'call':
      await call(await platform(name), rest[0], values.input, values['base-url'])
      return done
  }
  throw wrongUse(`source: there is no action "${action ?? ''}"`, 'see: sluice source --help')
}

async function platform(name: string | undefined): Promise<AnyPlatform> {
  const found = await platformByName(name ?? '')
  if (found === undefined)
    throw wrongUse(`there is no platform "${name ?? ''}"`, `use one of: ${platformNames.join(', ')}`)
  return found
}

async function list(query: string, json: boolean): Promise<void> {
  const found = searchCatalogue(await sourceCatalogue(process.cwd()), query)
  if (json) return printJson(found)
  if (found.length === 0) console.log(`nothing is known of "${query}"; an OpenAPI file in this folder would be found`)
  for (const { name, kind, about, resources, command } of found) {
    console.log(`${style.strong(clean(name, 50))}  ${style.faint(kind)}`)
    const few = resources.slice(0, 12)
    const more = resources.length > few.length ? ` and ${resources.length - few.length} more` : ''
    for (const line of wrap(clean(about, 300), 76)) console.log(`  ${line}`)
    for (const line of wrap(clean(`${few.join(', ')}${more}`, 600), 76)) console.log(style.faint(`  ${line}`))
    console.log(`  ${command}\n`)
  }
}

type Values = Record<string, string | boolean | undefined>

function number(values: Values, name: string): number | undefined {
  if (values[name] === undefined) return undefined
  const value = Number(values[name])
  if (!Number.isInteger(value) || value < 0) throw wrongUse(`--${name}: expected a whole number`, `use --${name} 100`)
  return value
}

/** Serves until it is interrupted. */
async function simulate(name: string | undefined, values: Values): Promise<CommandResult> {
  const pageSize = number(values, 'page-size')
  const simulated = simulation(name ?? '', {
    size: number(values, 'size') ?? 1000,
    seed: number(values, 'seed') ?? 1,
    ...(pageSize === undefined ? {} : { pageSize }),
    ...(typeof values.shape === 'string' ? { shape: values.shape } : {}),
  })
  if (simulated === undefined)
    throw wrongUse(`there is no simulator "${name ?? ''}"`, `use one of: ${platformNames.join(', ')}`)
  const [port, latencyMs, requestsPerMinute] = ['port', 'latency', 'limit'].map((option) => number(values, option))
  const server = await serve(simulated, {
    ...(port === undefined ? {} : { port }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
  })
  const prefix = `SOURCES__${name!.toUpperCase()}_SOURCE__`
  const environment = {
    [`${prefix}BASE_URL`]: server.baseUrl,
    [`${prefix}${simulated.secret[0].toUpperCase()}`]: simulated.secret[1],
    ...Object.fromEntries(
      Object.entries(simulated.settings).map(([key, ids]) => [prefix + key.toUpperCase(), ids.slice(0, 20).join(',')]),
    ),
  }
  if (values.json === true) {
    console.log(JSON.stringify({ platform: name, baseUrl: server.baseUrl, environment }))
  } else {
    console.log(`${name} is simulated at ${server.baseUrl}\n\nload it from another terminal:\n`)
    for (const [key, value] of Object.entries(environment)) console.log(`  export ${key}='${value}'`)
    console.log(`  sluice run ${name}\n\nCtrl-C ends it`)
  }
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
  await server.close()
  return done
}

async function call(
  found: AnyPlatform,
  action: string | undefined,
  input: string | undefined,
  baseUrl: string | undefined,
): Promise<void> {
  const known = Object.keys(found.actions)
  // dlt's names are accepted too: send_message is sendMessage.
  const name = (action ?? '').replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  if (!known.includes(name)) {
    const which = known.length === 0 ? `${found.docs.title} has no actions` : `use one of: ${known.join(', ')}`
    throw wrongUse(`${found.docs.name}: there is no action "${action ?? ''}"`, which)
  }
  let body: unknown
  try {
    body = JSON.parse(input ?? '')
  } catch {
    throw wrongUse('source call: --input is not JSON', `--input '{"clientId": "…", "text": "…"}'`)
  }
  printJson(await found.actions[name]!(body as never, baseUrl === undefined ? {} : { baseUrl }))
}

const wrongUse = (message: string, fix: string): PipelineError => new PipelineError(message, { code: 'WRONG_USE', fix })
