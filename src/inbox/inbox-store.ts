import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { failpoint } from '../failpoints/index.ts'
import { dataDir, PipelineError } from '../index.ts'

/** A payload as it was received. */
export interface InboxEntry {
  /** Counts up by one from entry to entry, also over restarts. */
  sequence: number
  receivedAt: string
  /** Of what was received: the same payload, sent again, has the same. */
  payloadId: string
  payload: unknown
}

const segmentBytes = 16 * 1024 * 1024

/** Where payloads of a name are kept until they are loaded: files of lines, named after their first entry. */
function inboxFolder(name: string): string {
  if (/^[a-z][a-z0-9_-]{0,60}$/.test(name)) return join(dataDir(), 'inbox', name)
  throw new PipelineError(`"${name.slice(0, 80)}" is no name of an inbox`, {
    code: 'WRONG_USE',
    fix: 'use small letters, digits, _ and -: chatlio',
  })
}

/** Takes payloads in. What `add` has answered is on disk for good. */
export class InboxWriter {
  private readonly folder: string
  private next: number
  private file: FileHandle | undefined
  private size = 0
  private waiting: { line: string; done(): void; failed(error: unknown): void }[] = []
  private writing: Promise<void> | undefined

  constructor(name: string) {
    this.folder = inboxFolder(name)
    mkdirSync(this.folder, { recursive: true, mode: 0o700 })
    this.next = lastSequence(this.folder) + 1
  }

  /** Many at once share one write to the disk. */
  add(payload: string, receivedAt: Date): Promise<void> {
    const entry = {
      sequence: this.next++,
      receivedAt: receivedAt.toISOString(),
      payloadId: idOf(payload),
      payload: '@',
    }
    // The payload goes in as it came: numbers in it are not ours to bend. No string of JSON has a line feed in it.
    const line = `${JSON.stringify(entry).slice(0, -4)}${payload.replaceAll('\n', ' ')}}\n`
    return new Promise((done, failed) => {
      this.waiting.push({ line, done, failed })
      this.writing ??= this.write().finally(() => (this.writing = undefined))
    })
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0)
      try {
        const text = batch.map(({ line }) => line).join('')
        const file = await this.segment(batch[0]!.line)
        await file.appendFile(text)
        failpoint('message-appended')
        await file.sync()
        failpoint('message-synced')
        this.size += Buffer.byteLength(text)
        for (const { done } of batch) done()
      } catch (error) {
        // What may be half-written is not written on.
        await this.file?.close().catch(() => undefined)
        this.file = undefined
        for (const { failed } of batch) failed(error)
      }
    }
  }

  /** A writer never goes on with a file of another one, whose last line may be torn. */
  private async segment(line: string): Promise<FileHandle> {
    if (this.file !== undefined && this.size < segmentBytes) return this.file
    await this.file?.close()
    const { sequence } = JSON.parse(`${line.slice(0, line.indexOf(','))}}`) as { sequence: number }
    this.size = 0
    this.file = await open(join(this.folder, segmentName(sequence)), 'ax', 0o600)
    await syncFolder(this.folder)
    return this.file
  }

  async close(): Promise<void> {
    await this.writing
    await this.file?.close()
    this.file = undefined
  }
}

const segmentName = (sequence: number): string => `${String(sequence).padStart(16, '0')}.jsonl`
const idOf = (payload: string): string => createHash('sha256').update(payload).digest('hex').slice(0, 32)

/** A new name in a folder lasts once the folder is on disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync().catch(() => undefined)
  await handle.close()
}

const segments = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => /^\d{16}\.jsonl$/.test(file))
        .sort()
    : []

/** Counts up with what is received under a name, also with what nobody was told of; 0 before the first. */
export function inboxMark(name: string): number {
  const folder = inboxFolder(name)
  const last = segments(folder).at(-1)
  // A file is shorter than what the next one counts on with.
  return last === undefined ? 0 : Number(last.slice(0, 16)) * 2 * segmentBytes + statSync(join(folder, last)).size
}

/** Also of entries that nobody was told of. */
function lastSequence(folder: string): number {
  const last = segments(folder).at(-1)
  if (last === undefined) return 0
  const found = [...readFileSync(join(folder, last), 'utf8').matchAll(/^\{"sequence":(\d+)/gm)].map(([, one]) =>
    Number(one),
  )
  return Math.max(Number(last.slice(0, 16)), ...found)
}

/** Whole lines of entries after one, a page for each file, parsed by `parse`. A line that a crash has torn was never acknowledged. */
export function* entriesAfter(name: string, after: number, parse: (line: string) => unknown): Generator<InboxEntry[]> {
  const folder = inboxFolder(name)
  const all = segments(folder)
  for (const [at, file] of all.entries()) {
    const following = all[at + 1]
    if (following !== undefined && Number(following.slice(0, 16)) <= after + 1) continue
    const text = readFileSync(join(folder, file), 'utf8')
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
    const entries = lines.filter((line) => line !== '').map((line) => parse(line) as InboxEntry)
    const fresh = entries.filter(({ sequence }) => Number(sequence) > after)
    if (fresh.length > 0) yield fresh
  }
}

/** Deletes files whose entries are all loaded, once they are old. */
export function forgetLoaded(name: string, loaded: number, olderThan: Date): void {
  const folder = inboxFolder(name)
  const all = segments(folder)
  for (const [at, file] of all.entries()) {
    const following = all[at + 1]
    const path = join(folder, file)
    // The last one may be written on.
    if (following === undefined || Number(following.slice(0, 16)) > loaded + 1) return
    if (statSync(path).mtime < olderThan) rmSync(path)
  }
}
