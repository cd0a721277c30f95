import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { planted, root, type Fault } from './fault.ts'

/** A copy of the working tree in a temporary folder, so that a fault never touches the files people work on. */
export class Checkout implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'))

  constructor() {
    for (const file of workingTree()) {
      mkdirSync(dirname(join(this.folder, file)), { recursive: true })
      cpSync(join(root, file), join(this.folder, file))
    }
    // What `npm install` has built.
    const page = join(root, 'dashboard-page')
    if (existsSync(page)) cpSync(page, join(this.folder, 'dashboard-page'), { recursive: true })
    // A folder of links, not a link to the folder: the copy needs caches of its own.
    const packages = join(this.folder, 'node_modules')
    mkdirSync(packages)
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (name === '.bin' || !name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(packages, name))
    }
  }

  /** Changes the file until the result is disposed. */
  plant(fault: Fault): Disposable {
    const path = join(this.folder, fault.file)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, planted(text, fault))
    return { [Symbol.dispose]: () => writeFileSync(path, text) }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Files that git tracks or would track, and that exist. */
function workingTree(): string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  return [...new Set(listed.split('\0'))].filter((file) => file !== '' && existsSync(join(root, file)))
}
