import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { failpoint } from '../failpoints/index.ts'
import { dataDir, PipelineError } from '../index.ts'
import { lockFolder } from '../locks/index.ts'
import { inboxId, type InboxId } from './inbox-id.ts'
import type { LoadedMark } from './inbox-marks.ts'
import { segmentSpan, type SegmentSpan } from './segment-span.ts'

/** A payload as it was received. */
export interface InboxEntry {
  /** Counts up by one from entry to entry, also over restarts. Absent in a damaged line. */
  sequence?: number
  /** Absent in a damaged line. */
  receivedAt?: string
  /** Of what was received: the same payload, sent again, has the same. */
  payloadId: string
  /** JSON; of a damaged line, the line. */
  text: string
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

/** Takes payloads in, alone. What `add` has answered is on disk for good. */
export class InboxWriter {
  private readonly folder: string
  private readonly lock: Disposable
  private next: number
  private file: FileHandle | undefined
  private size = 0
  private waiting: { line: string; done(): void; failed(error: unknown): void }[] = []
  private writing: Promise<void> | undefined

  /** Throws `PIPELINE_BUSY` while another writer of this inbox is open. */
  constructor(name: string) {
    this.folder = inboxFolder(name)
    this.lock = lockFolder(this.folder, (pid) => busy(name, pid))
    try {
      inboxId(this.folder, lastSequence)
      this.next = lastSequence(this.folder) + 1
    } catch (error) {
      this.lock[Symbol.dispose]()
      throw error
    }
  }

  /** Many at once share one write to the disk. */
  add(payload: string, receivedAt: Date): Promise<void> {
    const entry = {
      sequence: this.next++,
      receivedAt: receivedAt.toISOString(),
      payloadId: idOf(payload),
    }
    // The payload goes in as it came: numbers in it are not ours to bend. No string of JSON has a line feed in it.
    const line = `${headOf(entry)}${payload.replaceAll('\n', ' ')}}\n`
    return new Promise((done, failed) => {
      this.waiting.push({ line, done, failed })
      this.writing ??= this.write()
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
    // Here and now: an entry that is added a moment later would wait for the next one to be written.
    this.writing = undefined
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
    this.lock[Symbol.dispose]()
  }
}

const busy = (name: string, pid: string): PipelineError =>
  new PipelineError(`inbox "${name}" is being received by another process (${pid})`, {
    code: 'PIPELINE_BUSY',
    recovery: 'retry',
    fix: 'end that server first; an inbox has one server at a time',
  })

/** A line in front of its payload: no other entry, of whatever inbox, has the same. */
const headOf = ({ sequence, receivedAt, payloadId }: Omit<InboxEntry, 'text'>): string =>
  `${JSON.stringify({ sequence, receivedAt, payloadId }).slice(0, -1)},"payload":`

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

/** The identity of an inbox; `undefined` where nothing was received yet. */
export function identityOfInbox(name: string): InboxId | undefined {
  const folder = inboxFolder(name)
  return segments(folder).length === 0 ? undefined : inboxId(folder, lastSequence)
}

/** Names of the inboxes of this machine. */
export function inboxNames(): string[] {
  const folder = join(dataDir(), 'inbox')
  return existsSync(folder) ? readdirSync(folder) : []
}

/** The mark of an entry, to be found again by `validMark`. */
export const markOf = (entry: InboxEntry & { sequence: number }): LoadedMark => ({
  sequence: entry.sequence,
  entry: headOf(entry),
})

/**
 * A mark whose entry is in the folder; otherwise 0. An inbox that was restored from a backup, or copied to a second machine,
 * gives the same sequences to other payloads.
 */
export function validMark(name: string, { sequence, entry }: LoadedMark): number {
  if (sequence === 0 || entry === undefined) return sequence
  const folder = inboxFolder(name)
  const holds = segments(folder).some((file) => {
    const span = segmentSpan(join(folder, file))
    if (span === undefined || (span.isWhole && (sequence < span.lowest || sequence > span.highest))) return false
    return hasLine(readFileSync(span.path), entry)
  })
  return holds ? sequence : 0
}

/** Whether a line begins with a text. A payload may have that text inside, and is of one line. */
function hasLine(content: Buffer, start: string): boolean {
  return content.indexOf(start) === 0 || content.includes(`\n${start}`)
}

/** The highest sequence of a folder; 0 before the first. Of a file without a whole line, the one that its name gives away. */
function lastSequence(folder: string): number {
  return segments(folder).reduce((highest, file) => {
    const span = segmentSpan(join(folder, file))
    return Math.max(highest, Number(file.slice(0, 16)), span?.highest ?? 0)
  }, 0)
}

/**
 * Entries after one, a page for each file. A line that a crash has torn was never acknowledged.
 *
 * A file is passed over only by the sequences in it. Files whose sequences overlap had writers that did not know of each
 * other: how far one was loaded says nothing of the other, so all of both is given again.
 */
export function* entriesAfter(name: string, after: number): Generator<InboxEntry[]> {
  const folder = inboxFolder(name)
  const files = segments(folder).flatMap((file) => segmentSpan(join(folder, file)) ?? [])
  const overlapping = overlaps(files)
  for (const file of files) {
    const isAlone = !overlapping.has(file)
    if (isAlone && file.isWhole && file.highest <= after) continue
    const text = readFileSync(file.path, 'utf8')
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
    const entries = lines.filter((line) => line !== '').map(entryOf)
    const fresh = entries.filter(({ sequence = Infinity }) => !isAlone || sequence > after)
    if (fresh.length > 0) yield fresh
  }
}

/** Files that have sequences in common with another one. */
function overlaps(files: readonly SegmentSpan[]): Set<SegmentSpan> {
  const found = new Set<SegmentSpan>()
  let furthest: SegmentSpan | undefined
  for (const file of files.toSorted((a, b) => a.lowest - b.lowest)) {
    if (furthest !== undefined && file.lowest <= furthest.highest) found.add(file).add(furthest)
    if (furthest === undefined || file.highest > furthest.highest) furthest = file
  }
  return found
}

/** As `add` writes it. A line that the disk has damaged is kept as a payload, and says so by what it lacks. */
function entryOf(line: string): InboxEntry {
  const [head, sequence, receivedAt, payloadId] =
    /^\{"sequence":(\d+),"receivedAt":"([^"]*)","payloadId":"(\w+)","payload":/.exec(line) ?? []
  if (head === undefined) return { payloadId: idOf(line), text: line }
  return {
    sequence: Number(sequence),
    receivedAt: receivedAt!,
    payloadId: payloadId!,
    text: line.slice(head.length, -1),
  }
}

/** Deletes files whose entries are all loaded, once they are old. */
export function forgetLoaded(name: string, loaded: number, olderThan: Date): void {
  const folder = inboxFolder(name)
  // The last one may be written on.
  for (const file of segments(folder).slice(0, -1)) {
    const path = join(folder, file)
    const { highest = 0 } = segmentSpan(path) ?? {}
    if (highest <= loaded && statSync(path).mtime < olderThan) rmSync(path)
  }
}
