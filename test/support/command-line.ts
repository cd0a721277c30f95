import { join } from 'node:path'
import { format } from 'node:util'
import { vi } from 'vitest'
import { runCommand } from '../../src/cli/run-command.ts'

export interface Ended {
  code: number | null
  out: string
  err: string
}

/** Runs a command of the CLI in this process, with its own folder and environment: starting a process costs most of a second. */
export async function sluice(folder: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const cwd = process.cwd()
  const before = { ...process.env }
  let [out, err] = ['', '']
  const toOut = (text: string): true => ((out += text), true)
  const toErr = (text: string): true => ((err += text), true)
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((...values) => void toOut(`${format(...values)}\n`)),
    vi.spyOn(console, 'error').mockImplementation((...values) => void toErr(`${format(...values)}\n`)),
    vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => toOut(String(chunk))),
    vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => toErr(String(chunk))),
  ]
  process.chdir(folder)
  Object.assign(process.env, { HOME: folder, SLUICE_DATA_DIR: join(folder, 'data'), ...env })
  try {
    const code = await runCommand(args[0], args.slice(1))
    return { code, out, err }
  } finally {
    for (const spy of spies) spy.mockRestore()
    process.chdir(cwd)
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
    Object.assign(process.env, before)
  }
}
