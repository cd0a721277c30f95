import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { NotInFormat } from '../../src/sources/rest/formats/not-in-format.ts'
import { Spool } from '../../src/sources/rest/formats/spool.ts'
import { checkPacked, unpackedFiles } from '../../src/sources/rest/formats/unpack.ts'
import { egressWithoutSecrets } from '../../src/egress/index.ts'
import { Transport } from '../../src/sources/rest/http/transport.ts'
import { simulation } from '../../src/sources/simulators/index.ts'
import { serve } from '../../src/sources/simulators/server.ts'
import { Executor } from '../../src/workers/executor.ts'
import { api, freshPipeline } from '../support/api.ts'
import { effort } from '../support/effort.ts'
import { randomFrom } from '../support/seed.ts'
import { zip } from '../support/zip.ts'

// An exception that nobody catches, or a rejection that nobody handles, fails the run of this file, whichever test it comes from.

const sources = new URL('../../src/', import.meta.url)
const files = readdirSync(sources, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !/^(dashboard\/app|workbench\/scaffold)/.test(path))
  .map((path) => ({ path, text: readFileSync(new URL(path.replaceAll('\\', '/'), sources), 'utf8') }))
const without = (needed: string, pattern: RegExp): string[] =>
  files.filter(({ text }) => pattern.test(text) && !text.includes(needed)).map(({ path }) => path)

describe('whatever can emit an error has a listener that stays', () => {
  it('servers, which report connections that they cannot take for as long as they run', () => {
    expect(without(`.on('error'`, /\bcreateServer\(/)).toEqual([])
    expect(files.filter(({ text }) => /createServer\(async/.test(text)).map(({ path }) => path)).toEqual([])
  })

  it('child processes', () => {
    expect(without(`.on('error'`, /\b(spawn|fork)\(/)).toEqual([])
  })

  it('files, by a pipeline or a listener', () => {
    const alone = files.flatMap(({ path, text }) =>
      text.includes(`.on('error'`)
        ? []
        : text
            .split('\n')
            .filter((line) => /create(Read|Write)Stream\(/.test(line) && !/pipeline\(/.test(line))
            .map((line) => `${path}: ${line.trim()}`),
    )
    // The upload reads it by `for await`.
    expect(alone.filter((one) => !one.startsWith('destinations/stores/s3-store.ts: const Body'))).toEqual([])
  })

  it('promises that nobody waits for: all of them catch by themselves', () => {
    const floating = files.flatMap(({ path, text }) =>
      [...text.matchAll(/^\s*void (?!\(|\w+(\.\w+)*\.(set|push|add)\()[\w.]+\(.*$/gm)].map(
        ([line]) => `${path}: ${line.trim()}`,
      ),
    )
    expect(floating.sort()).toEqual([
      'sources/rest/read-ahead.ts: void this.fill(pages)',
      // In a process of its own, whose end its parent reports.
      'workers/executor.ts: void answer(message.item)',
    ])
  })
})

describe('a fault ends in an error of whoever asked', () => {
  it.each(['missing/rows.csv', '.'])('of an export to %s', async (path) => {
    const loading = freshPipeline()
    await loading.run([{ id: 1 }], { tableName: 'rows' })
    const folder = mkdtempSync(join(tmpdir(), 'sluice-export-'))
    await expect(loading.dataset().table('rows').toCsv(join(folder, path))).rejects.toThrow(/ENOENT|EISDIR/)
  })

  it('of a download that is packed and damaged, wherever', async () => {
    freshPipeline()
    const random = randomFrom()
    const text = 'id,v\n'.padEnd(3000, '12,abc\n')
    const whole = [gzipSync(text), zip({ 'a.csv': text, 'b.csv': text })]
    for (let round = 0; round < effort(60, 2000); round++) {
      const packed = Buffer.from(whole[round % 2]!)
      for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
        packed[Math.floor(random() * packed.length)] = Math.floor(random() * 256)
      }
      const cut = packed.subarray(0, random() < 0.5 ? undefined : Math.floor(random() * packed.length))
      const spool = await Spool.from(
        (async function* () {
          yield cut
        })(),
      )
      try {
        await checkPacked(spool, {
          limit: 1e9,
          url: new URL('http://127.0.0.1/'),
          signal: new AbortController().signal,
        })
        // Nobody reads to the end.
        for await (const { bytes } of unpackedFiles(spool)) for await (const _ of bytes) break
      } catch (error) {
        expect(error).toBeInstanceOf(NotInFormat)
      } finally {
        await spool.close()
      }
    }
  })

  it('of a response that breaks off while nobody reads it', async () => {
    let broken = 0
    const target = await api((request, response) => {
      response.writeHead(200, {
        'content-length': 1000,
        'content-encoding': request.url === '/gzip' ? 'gzip' : 'identity',
      })
      response.write('abc', () => {
        request.socket.destroy()
        broken += 1
      })
    })
    const egress = egressWithoutSecrets(target.baseUrl, { byProxy: false })
    const options = { proxy: undefined, egress, checkTarget: () => undefined }
    const transport = new Transport({ baseUrl: target.baseUrl }, options)
    const ask = (path: string) =>
      transport.fetch(
        { method: 'GET', url: new URL(path, target.baseUrl), headers: {}, body: undefined },
        new AbortController().signal,
      )
    for (const path of ['/plain', '/gzip']) await ask(path).catch(() => undefined)
    await expect.poll(() => broken).toBe(2)
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
  })

  it('of a process that cannot be started', async () => {
    const { execPath } = process
    const executor = new Executor(['missing.js'], {})
    try {
      process.execPath = join(tmpdir(), 'no-such-program')
      const item = { job: 'j', run: 'r' } as Parameters<Executor['run']>[0]
      const result = await executor.run(item, {})
      expect(result).toMatchObject({ outcome: 'failure', error: expect.stringContaining('ENOENT') })
    } finally {
      process.execPath = execPath
    }
  })

  it('of a request that a simulator cannot read', async () => {
    const simulator = await serve(simulation('chatra', { size: 1, seed: 1 } as never)!)
    try {
      const { port, hostname, pathname } = new URL(simulator.baseUrl)
      const say = (text: string): Promise<string> =>
        new Promise((resolve, reject) => {
          let said = ''
          const socket = connect(Number(port), hostname, () => socket.write(text))
          socket.on('data', (part) => (said += part.toString()))
          socket.on('close', () => resolve(said)).on('error', reject)
        })
      const head = `HTTP/1.1\r\nhost: x\r\nconnection: close\r\n`
      expect(await say(`POST ${pathname}/x ${head}content-length: 1\r\n\r\n{`)).toContain('400')
      expect(await say(`GET ${pathname}/%ff ${head}\r\n`)).toContain('400')
    } finally {
      await simulator.close()
    }
  })
})
