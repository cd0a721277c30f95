import { PipelineError } from '../../errors/index.ts'

/** A source whose parts do not fit together. */
export const invalidSource = (message: string): PipelineError =>
  new PipelineError(message, { code: 'SOURCE_INVALID', fix: 'correct the resources of the source' })
