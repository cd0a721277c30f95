#!/usr/bin/env node
import { readFileSync } from 'node:fs'

const [first, ...rest] = process.argv.slice(2)

// Answered before anything else is loaded: it is asked often, by scripts.
if (first === '--version' || first === '-v') {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  console.log((JSON.parse(text) as { version: string }).version)
} else {
  const { runCommand } = await import('./run-command.ts')
  process.exitCode = await runCommand(first, rest)
}
