import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { PipelineError, tableTypes } from '../../index.ts'
import { done, failed, look, parseCommand, type CommandResult } from '../command.ts'
import { style } from '../style.ts'

const usage = `
sluice types <pipeline>

Writes TypeScript types of the tables that a pipeline has loaded:

  import type { Tables } from './shop.tables.ts'
  pipeline({ name: 'shop' }).dataset<Tables>().table('products')

  --out <file>   where to write them      [<pipeline>.tables.ts]
  --stdout       print them instead
  --check        exit with 1 when the file is not up to date
`

export async function run(args: string[]): Promise<CommandResult> {
  const parsed = parseCommand(args, usage, {
    out: { type: 'string' },
    stdout: { type: 'boolean' },
    check: { type: 'boolean' },
  })
  if (parsed === undefined) return done
  const [name] = parsed.positionals
  if (name === undefined) {
    throw new PipelineError('types: which pipeline?', { code: 'WRONG_USE', fix: 'sluice types <pipeline>' })
  }
  const newest = new Map((await look(name).schemas()).map((schema) => [schema.name, schema]))
  const text = tableTypes([...newest.values()], name)
  const { out = `${name}.tables.ts`, stdout, check } = parsed.values
  if (stdout === true) {
    process.stdout.write(text)
    return done
  }
  const isThere = existsSync(out) && readFileSync(out, 'utf8') === text
  if (check === true) {
    console.log(
      isThere
        ? `${style.done('✓')} ${out} is up to date`
        : `${style.failed('✗')} ${out} is not up to date: sluice types ${name}`,
    )
    return isThere ? done : failed
  }
  if (!isThere) writeFileSync(out, text)
  console.log(isThere ? `${out} is up to date` : `wrote ${out}`)
  return done
}
