import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { PipelineError, secret, secretStatuses, settingValue, writeSecret } from '../../index.ts'
import { inboxSource, serveInbox, type Hook } from '../../inbox/index.ts'
import { done, parseCommand, portNumber, printJson, program, type CommandResult } from '../command.ts'
import { clean, style } from '../style.ts'

const usage = `
sluice serve add <name>     a new address for webhooks: chatlio, chatra, …
sluice serve                receives what is sent to these addresses

  --port <n>     [8787]
  --host <h>     [127.0.0.1], behind a proxy that speaks TLS
  --json         a line for each request

What was received is loaded by: sluice run inbox:<name>
`

export async function run(args: string[]): Promise<CommandResult> {
  const parsed = parseCommand(args, usage, { port: { type: 'string' }, host: { type: 'string' } })
  if (parsed === undefined) return done
  const { values, positionals } = parsed
  const [action, name] = positionals
  if (action === 'add') return add(name)
  if (action !== undefined)
    throw new PipelineError(`serve: there is no action "${action}"`, {
      code: 'WRONG_USE',
      fix: 'use add <name>, or nothing, to receive',
    })
  return serve(values)
}

/** Whoever knows the address can send to it, so part of it is a secret. */
function add(name: string | undefined): CommandResult {
  if (name === undefined || !/^[a-z][a-z0-9_-]{0,60}$/.test(name))
    throw new PipelineError('serve add: under which name?', { code: 'WRONG_USE', fix: 'sluice serve add chatlio' })
  if (hookNames().includes(name))
    throw new PipelineError(`there is an address for ${name} already`, {
      code: 'WRONG_USE',
      fix: `to see where it is stored: sluice secrets list; to replace it: sluice secrets set inbox.${name}.path`,
    })
  const twin = hookNames().find((other) => inboxSource(other).name === inboxSource(name).name)
  if (twin !== undefined)
    throw new PipelineError(`inboxes "${twin}" and "${name}" are one source: "${inboxSource(name).name}"`, {
      code: 'WRONG_USE',
      fix: 'choose a name that differs in more than - and _',
    })
  const path = randomBytes(16).toString('hex')
  writeSecret(`inbox.${name}.path`, path)
  console.log(`have webhooks sent to\n\n  https://<your host>/hooks/${name}/${path}\n`)
  console.log(`then: ${program} serve, and ${program} run inbox:${name}`)
  return done
}

/** Names that stand in the files, or in the environment as `INBOX__CHATLIO__PATH`. */
function hookNames(): string[] {
  const fromFiles = secretStatuses([]).flatMap(({ key, status }) => {
    const [, name] = /^inbox\.([\w-]+)\.path$/.exec(key) ?? []
    return name === undefined || status !== 'set' ? [] : [name]
  })
  const fromEnvironment = Object.keys(process.env).flatMap((key) => {
    const [, name] = /^INBOX__(\w+)__PATH$/.exec(key) ?? []
    return name === undefined ? [] : [name.toLowerCase()]
  })
  return [...new Set([...fromFiles, ...fromEnvironment])].sort()
}

async function serve({
  port,
  host,
  json,
}: {
  port?: string | undefined
  host?: string | undefined
  json?: boolean | undefined
}): Promise<CommandResult> {
  const hooks = hookNames().map((name): Hook => ({ name, secret: settingValue(secret(`${name}.path`), 'inbox') }))
  if (hooks.length === 0)
    throw new PipelineError('there is no address to receive at', {
      code: 'CONFIG_MISSING',
      fix: 'sluice serve add chatlio',
    })
  const server = await serveInbox({
    hooks,
    ...(port === undefined ? {} : { port: portNumber(port) }),
    ...(host === undefined ? {} : { host }),
    onBusy: ({ summary, fix }) => console.error(`${summary}; answers 503 until that process has ended\n  fix: ${fix}`),
    onRequest: (request) => {
      if (json === true) console.log(JSON.stringify({ at: new Date().toISOString(), ...request }))
      else console.log(requestText(request))
    },
  })
  const about = { url: server.url, names: hooks.map(({ name }) => name) }
  if (json === true) printJson(about)
  else
    console.log(`${style.strong(server.url)}  receives ${about.names.join(', ')}\n${style.faint('Ctrl-C ends it')}\n`)
  await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)))
  await server.close()
  return done
}

function requestText({ name, status, bytes }: { name: string | undefined; status: number; bytes: number }): string {
  const mark = status === 200 ? style.done('✓') : style.failed('✗')
  const time = style.faint(new Date().toISOString().slice(11, 19))
  return `${time}  ${mark} ${status}  ${clean(name ?? 'unknown address', 40).padEnd(20)} ${bytes > 0 ? `${bytes} bytes` : ''}`.trimEnd()
}
