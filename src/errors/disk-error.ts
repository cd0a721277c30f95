import { PipelineError } from './pipeline-error.ts'

const causes: Record<string, { what: string; fix: string }> = {
  ENOSPC: { what: 'the disk is full', fix: 'make room on the disk, then run again: nothing is lost' },
  EDQUOT: { what: 'the disk quota is used up', fix: 'make room on the disk, then run again: nothing is lost' },
  EFBIG: {
    what: 'the file would be larger than the system allows',
    fix: 'raise the limit (ulimit -f), then run again',
  },
  EROFS: { what: 'the disk is read-only', fix: 'set SLUICE_DATA_DIR to a folder that can be written to' },
  EACCES: { what: 'writing is not allowed', fix: 'set SLUICE_DATA_DIR to a folder that can be written to' },
  ENOTDIR: { what: 'a part of its path is a file', fix: 'set SLUICE_DATA_DIR to a folder that can be written to' },
  EIO: { what: 'the disk has failed', fix: 'look at the disk, then run again: what was loaded is safe' },
  EMFILE: { what: 'too many files are open', fix: 'raise the limit (ulimit -n), then run again' },
  EPERM: { what: 'writing is not allowed', fix: 'set SLUICE_DATA_DIR to a folder that can be written to' },
}

/** The error in words when a disk refuses the working data of a pipeline; any other error as it is. */
export function asDiskError(error: unknown, folder: string): unknown {
  if (error instanceof PipelineError || !(error instanceof Error)) return error
  const known = causes[(error as NodeJS.ErrnoException).code ?? '']
  if (known === undefined) return error
  return new PipelineError(`working data in ${folder} cannot be written: ${known.what}`, {
    code: 'DISK_REFUSED',
    recovery: 'retry',
    fix: known.fix,
    cause: error,
  })
}
