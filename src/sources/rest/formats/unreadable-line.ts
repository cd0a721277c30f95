import { excerpt, PipelineError } from '../../../errors/index.ts'
import { NotInFormat } from './not-in-format.ts'

/** A line of a download that is not what the others are. The server may have stopped in the middle of it. */
export class UnreadableLine extends PipelineError {
  constructor(format: 'JSONL' | 'CSV', file: string | undefined, line: number, cause: unknown) {
    const name = file === undefined ? 'the answer' : `"${file}"`
    super(`${name} is not ${format} in line ${line}: ${excerpt((cause as Error).message.split('\n')[0]!, 200)}`, {
      code: 'HTTP_NOT_JSON',
      recovery: 'retry',
      fix: 'run again, in case the server stopped halfway; else check the format of the endpoint, or have the API mend its file',
      cause,
    })
  }
}

/** Whether a response came whose content cannot be read: another format, a damaged line, or more than is taken. */
export const isUnreadable = (error: unknown): boolean =>
  error instanceof NotInFormat ||
  error instanceof UnreadableLine ||
  (error instanceof PipelineError && (error.code === 'LIMIT_EXCEEDED' || error.code === 'HTTP_TOO_LARGE'))

/** A line or record that no rows are made of: read on, it would fill the memory. */
export const tooLong = (what: 'line' | 'record', file: string | undefined, line: number, most: number): PipelineError =>
  new PipelineError(
    `${file === undefined ? 'the answer' : `"${file}"`} has a ${what} of more than ${most.toLocaleString('en')} characters (line ${line})`,
    { code: 'LIMIT_EXCEEDED', fix: 'check the format of the endpoint, and for CSV its delimiter and quote' },
  )
