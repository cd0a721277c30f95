import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import chromium from '@sparticuz/chromium'

const folder = join(import.meta.dirname, '../../node_modules/.cache/sluice-chromium')

export interface Chromium {
  executablePath: string
  /** As root there is no sandbox; the pages are ours. */
  args: string[]
  env: Record<string, string>
}

/**
 * Chromium as an npm package brings it, with the libraries that it needs where the system has none. Unpacked once, so not
 * to be called by two processes at the same time. `CHROMIUM` names another one.
 */
export async function installChromium(): Promise<Chromium> {
  const args = ['--no-sandbox', '--headless=shell', '--use-angle=swiftshader', '--hide-scrollbars']
  const env = process.env as Record<string, string>
  if (process.env.CHROMIUM !== undefined) return { executablePath: process.env.CHROMIUM, args, env }
  const executablePath = join(folder, 'chromium')
  const marker = join(folder, 'unpacked')
  if (!existsSync(marker)) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    await unpack()
    writeFileSync(marker, '')
  }
  const libraries = join(folder, 'al2023', 'lib')
  return { executablePath, args, env: existsSync(libraries) ? { ...env, LD_LIBRARY_PATH: libraries } : env }
}

async function unpack(): Promise<void> {
  const before = process.env.TMPDIR
  process.env.TMPDIR = folder
  try {
    await chromium.executablePath()
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  }
  try {
    execFileSync(join(folder, 'chromium'), ['--version'], { stdio: 'ignore' })
  } catch {
    const main = createRequire(import.meta.url).resolve('@sparticuz/chromium')
    const packed = readFileSync(join(dirname(main), '../../bin/al2023.tar.br'))
    mkdirSync(join(folder, 'al2023'), { recursive: true })
    execFileSync('tar', ['-x', '-C', join(folder, 'al2023')], { input: brotliDecompressSync(packed) })
  }
}
