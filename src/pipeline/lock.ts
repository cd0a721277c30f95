import { PipelineError } from '../errors/index.ts'
import { lockFolder, type FolderLock } from '../locks/index.ts'

/** Lets one process at a time work on a pipeline. */
export const lockPipeline = (folder: string, pipeline: string): FolderLock =>
  lockFolder(
    folder,
    (pid) =>
      new PipelineError(`pipeline "${pipeline}" is being run by another process (${pid})`, {
        code: 'PIPELINE_BUSY',
        recovery: 'retry',
        fix: 'wait until it has finished; one pipeline runs once at a time',
      }),
  )
