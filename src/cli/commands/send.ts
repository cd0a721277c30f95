import { existsSync } from 'node:fs'
import { Action, previewRows, sendRows, type SendEvent } from '../../actions/index.ts'
import { PipelineError } from '../../index.ts'
import { importProjectModule } from '../../jobs/project-module.ts'
import { done, failed, parseCommand, printJson, program, type CommandResult } from '../command.ts'
import { clean, count, plural, style } from '../style.ts'

const usage = `
sluice send                     the actions of sluice.actions.ts
sluice send <action> --dry-run  what would be sent; sends nothing
sluice send <action>            sends a message for each row that has none yet

  --limit <rows>    at most so many
  --again <status>  unknown: also those that may have arrived; refused: also
                    those that the API did not take
  --file <path>     the file that exports the actions    [sluice.actions.ts]
  --json            output as JSON

What became of each row stands in the table <action>_results.
`

const standardFile = 'sluice.actions.ts'
const shownMessages = 5

export async function run(args: string[]): Promise<CommandResult> {
  const parsed = parseCommand(args, usage, {
    'dry-run': { type: 'boolean' },
    limit: { type: 'string' },
    again: { type: 'string', multiple: true },
    file: { type: 'string' },
  })
  if (parsed === undefined) return done
  const { values, positionals } = parsed
  const actions = await readActions(values.file ?? standardFile)
  const [name] = positionals
  const json = values.json === true
  if (name === undefined) return list(actions, json)
  const action = actions.find((one) => one.name === name)
  if (action === undefined)
    throw wrongUse(`there is no action "${name}"`, `use one of: ${actions.map((one) => one.name).join(', ')}`)
  const limit = limitOf(values.limit)
  if (values['dry-run'] === true) return preview(action, limit, json)
  return send(action, { ...limit, again: againOf(values.again) }, json)
}

async function readActions(path: string): Promise<Action[]> {
  if (!existsSync(path)) {
    throw wrongUse(
      `there is no file ${path}`,
      "write one: export const greet = action({ name: 'greet', pipeline, rows, key, message, to })",
    )
  }
  const module = await importProjectModule(path)
  const actions = Object.values(module).filter((value) => value instanceof Action)
  if (actions.length === 0) throw wrongUse(`${path} exports no action`, 'export each of them')
  return actions
}

function list(actions: readonly Action[], json: boolean): CommandResult {
  if (json)
    printJson(actions.map(({ name, table, options }) => ({ name, table, key: options.key, rows: options.rows })))
  else {
    for (const { name, options } of actions)
      console.log(`${style.strong(name)}\n  ${clean(options.rows.replaceAll(/\s+/g, ' ').trim(), 76)}`)
    console.log(`\nsee what one would send: ${program} send ${actions[0]!.name} --dry-run`)
  }
  return done
}

async function preview(action: Action, limit: { limit?: number }, json: boolean): Promise<CommandResult> {
  const { total, messages } = await previewRows(action, {
    limit: Math.min(limit.limit ?? Infinity, json ? 1000 : shownMessages),
  })
  if (json) {
    printJson({ action: action.name, total, messages })
    return done
  }
  for (const message of messages) console.log(`  ${clean(message, 76)}`)
  const more = total - messages.length
  if (more > 0) console.log(style.faint(`  … and ${count(more)} more`))
  const asked = Math.min(total, limit.limit ?? Infinity)
  console.log(`\n${plural(asked, 'message')} would be sent; nothing was: ${program} send ${action.name}`)
  return done
}

async function send(
  action: Action,
  options: { limit?: number; again: readonly ('unknown' | 'refused')[] },
  json: boolean,
): Promise<CommandResult> {
  const abort = new AbortController()
  // What is under way is waited for, and written down.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort())
  let through = 0
  const emit = (event: SendEvent): void => {
    if (json) console.log(JSON.stringify({ at: new Date().toISOString(), ...event }))
    else if (event.type === 'recovered' && event.sent + event.unknown > 0)
      console.log(`an earlier run was cut off: ${count(event.sent)} were sent, ${count(event.unknown)} may have been`)
    else if (event.type === 'row') {
      through += 1
      const { status, error } = event.outcome
      if (status !== 'sent')
        console.log(`${style.failed('✗')} ${clean(event.key, 24).padEnd(24)} ${status}  ${clean(error, 42)}`)
      else if (process.stdout.isTTY) process.stdout.write(`\r${count(through)} through`)
    }
  }
  const counts = await sendRows(action, { ...options, signal: abort.signal, emit })
  const { sent, refused, unknown } = counts
  if (json) printJson(counts)
  else {
    if (process.stdout.isTTY && through > 0) process.stdout.write('\r')
    const parts = [
      `${count(sent)} sent`,
      ...(refused > 0 ? [`${count(refused)} refused`] : []),
      ...(unknown > 0 ? [`${count(unknown)} may have arrived`] : []),
    ]
    const isNothing = sent + refused + unknown === 0
    console.log(
      isNothing
        ? 'nothing to send: every row has had its message'
        : `${parts.join(', ')}; see the table ${action.table}`,
    )
  }
  return refused + unknown > 0 ? failed : done
}

function limitOf(text: string | undefined): { limit?: number } {
  if (text === undefined) return {}
  const limit = Number(text)
  if (Number.isInteger(limit) && limit > 0) return { limit }
  throw wrongUse(`--limit ${text}`, 'give a number of rows: --limit 10')
}

function againOf(given: readonly string[] = []): ('unknown' | 'refused')[] {
  return given.map((one) => {
    if (one === 'unknown' || one === 'refused') return one
    throw wrongUse(`--again ${one}`, 'use unknown or refused')
  })
}

const wrongUse = (message: string, fix: string): PipelineError => new PipelineError(message, { code: 'WRONG_USE', fix })
