import {
  constants,
  copyFileSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PipelineError } from '../../errors/index.ts'

const headerBytes = 3 * 4096
const attempts = 10
const largestBytes = 4 * 1024 ** 3

/**
 * A copy of a DuckDB file while another process writes it, and holds the lock that keeps all others out: what that process
 * has committed up to now. A checkpoint writes to blocks that are not in use and then changes a header, so a copy during
 * which the headers stayed as they were is whole; the log beside the file only grows, and what is cut off at its end was
 * not committed.
 */
export function takeSnapshot(path: string): { path: string; remove(): void } {
  const { size } = statSync(path)
  if (size > largestBytes) {
    throw new PipelineError(`${path} is being written, and too large to be copied for a look at it`, {
      code: 'LOAD_FAILED',
      recovery: 'retry',
      fix: 'wait until the run that writes it has ended',
    })
  }
  const folder = mkdtempSync(join(tmpdir(), 'sluice-snapshot-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  const copy = join(folder, 'snapshot.duckdb')
  try {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const before = headersOf(path)
      copyFileSync(path, copy, constants.COPYFILE_FICLONE)
      rmSync(`${copy}.wal`, { force: true })
      if (existsSync(`${path}.wal`)) copyLog(`${path}.wal`, `${copy}.wal`)
      if (before.equals(headersOf(path))) return { path: copy, remove }
    }
    throw new PipelineError(`${path} changes faster than it can be copied for a look at it`, {
      code: 'LOAD_FAILED',
      recovery: 'retry',
      fix: 'look again in a moment',
    })
  } catch (error) {
    remove()
    throw error
  }
}

/** A checkpoint may take the log away just now; the headers then tell. */
function copyLog(from: string, to: string): void {
  try {
    copyFileSync(from, to, constants.COPYFILE_FICLONE)
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error
  }
}

function headersOf(path: string): Buffer {
  const headers = Buffer.alloc(headerBytes)
  const file = openSync(path, 'r')
  try {
    readSync(file, headers, 0, headerBytes, 0)
    return headers
  } finally {
    closeSync(file)
  }
}
