import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lockFolder, ownIdentity } from '../../src/locks/index.ts'
import { effort } from '../support/effort.ts'
import { seed } from '../support/seed.ts'
import type { Contention } from './contender.ts'

const contenders = 3
/** Above every process id that Linux gives. */
const nobody = 2 ** 22 + 1
const place = (): string => join(mkdtempSync(join(tmpdir(), 'sluice-lock-')), 'pipeline')
const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** Lets processes contend; returns how often they held the lock, and how often each of them saw that it did. */
async function contend(
  holds: number,
  shares: Pick<Contention, 'abandoned' | 'removed'>,
): Promise<{ held: number; counted: number }> {
  const folder = place()
  writeFileSync(`${folder}.count`, '0')
  const children = Array.from({ length: contenders }, (_, at) =>
    fork(script('contender.ts'), [JSON.stringify({ folder, holds, seed: seed + at, ...shares })], { stdio: 'pipe' }),
  )
  onTestFinished(() => children.forEach((child) => void child.kill('SIGKILL')))
  const ended = await Promise.all(
    children.map(async (child) => {
      let errors = ''
      child.stderr!.on('data', (text) => (errors += text))
      const [code] = (await once(child, 'close')) as [number]
      return { code, errors }
    }),
  )
  for (const { code, errors } of ended) expect(code, errors).toBe(0)
  return { held: contenders * holds, counted: Number(readFileSync(`${folder}.count`, 'utf8')) }
}

describe('processes that contend for a lock hold it one at a time', () => {
  it('and release it, leave it as killed processes do, or remove its folder', async () => {
    const { held, counted } = await contend(300, { abandoned: 0.3, removed: 0.1 })
    expect(counted).toBe(held)
  })

  it.each([
    ['release it', { abandoned: 0, removed: 0 }],
    ['leave it as killed processes do', { abandoned: 0.5, removed: 0 }],
    ['remove its folder', { abandoned: 0.1, removed: 0.4 }],
  ])('thousands of times, and %s', { tags: ['slow'] }, async (_, shares) => {
    const { held, counted } = await contend(effort(1000, 10_000), shares)
    expect(counted).toBe(held)
  })
})

describe('a contender that is killed while it takes over a lock', () => {
  const takeOver = async (folder: string, failpoint: string): Promise<void> => {
    const contention: Contention = { folder, holds: 1, seed, abandoned: 0, removed: 0 }
    const child = spawn(process.execPath, [script('contender.ts'), JSON.stringify(contention)], {
      env: { ...process.env, SLUICE_FAILPOINT: failpoint },
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    expect(await once(child, 'close')).toEqual([null, 'SIGKILL'])
  }

  it.each([['lock-drafted'], ['lock-claimed', 'lock-claimed', 'lock-claimed'], ['lock-written', 'lock-claimed']])(
    'blocks nobody: %s',
    async (...steps) => {
      const folder = place()
      mkdirSync(folder)
      writeFileSync(join(folder, 'lock'), `${nobody} 1`)
      for (const step of steps) await takeOver(folder, step)
      const lock = lockFolder(folder, (pid) => new Error(`busy: ${pid}`))
      expect(readdirSync(folder)).toEqual(['lock'])
      lock[Symbol.dispose]()
      expect(readdirSync(folder)).toEqual([])
    },
  )
})

describe('a lock', () => {
  const take = (folder: string) => lockFolder(folder, (pid) => new Error(`busy: ${pid}`))

  it('of a process that its parent has not waited for is taken over', async () => {
    const folder = place()
    mkdirSync(folder)
    // The shell becomes `sleep`, which never asks for the status of its child.
    const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$; read line" & exec sleep 60'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    onTestFinished(() => void parent.kill('SIGKILL'))
    const [output] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(output.toString())
    const started = (): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[21]!
    const isEnded = (): boolean => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
    writeFileSync(join(folder, 'lock'), `${pid} ${started()}`)
    while (!isEnded()) await new Promise((resolve) => setImmediate(resolve))
    using _lock = take(folder)
    expect(() => take(folder)).toThrow(`busy: ${process.pid}`)
  })

  it('of another start of the machine is taken over, also when the process looks the same', () => {
    const folder = place()
    mkdirSync(folder)
    writeFileSync(join(folder, 'lock'), `${ownIdentity.pid} ${ownIdentity.started} 00000000 token`)
    using _lock = take(folder)
    expect(() => take(folder)).toThrow('busy')
  })

  it('is released when the folder cannot be tidied', () => {
    const folder = place()
    const obstacle = join(folder, 'lock.after-a')
    mkdirSync(obstacle, { recursive: true })
    expect(() => take(folder)).toThrow('EISDIR')
    rmdirSync(obstacle)
    using _lock = take(folder)
  })

  it('is not released by a holder whose folder was deleted and made anew', () => {
    const folder = place()
    const first = take(folder)
    first.removeFolder()
    expect(existsSync(folder)).toBe(false)
    using _second = take(folder)
    first[Symbol.dispose]()
    expect(() => take(folder)).toThrow('busy')
  })
})
