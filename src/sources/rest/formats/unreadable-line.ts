import { PipelineError } from '../../../errors/index.ts'

/** A line of a download that is not what the others are. */
export const unreadableLine = (
  format: 'JSONL' | 'CSV',
  file: string | undefined,
  line: number,
  cause: unknown,
): PipelineError =>
  new PipelineError(
    `${file === undefined ? 'the answer' : `"${file}"`} is not ${format} in line ${line}: ${(cause as Error).message.split('\n')[0]!.slice(0, 200)}`,
    {
      code: 'HTTP_NOT_JSON',
      fix: 'check the format of the endpoint; when the file itself is wrong, the API has to mend it',
      cause,
    },
  )

/** A line or record that no rows are made of: read on, it would fill the memory. */
export const tooLong = (what: 'line' | 'record', file: string | undefined, line: number, most: number): PipelineError =>
  new PipelineError(
    `${file === undefined ? 'the answer' : `"${file}"`} has a ${what} of more than ${most.toLocaleString('en')} bytes (line ${line})`,
    { code: 'LIMIT_EXCEEDED', fix: 'check the format of the endpoint, and for CSV its delimiter and quote' },
  )
