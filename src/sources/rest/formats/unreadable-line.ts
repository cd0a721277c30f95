import { excerpt, PipelineError } from '../../../errors/index.ts'

/** A line of a download that is not what the others are. */
export const unreadableLine = (
  format: 'JSONL' | 'CSV',
  file: string | undefined,
  line: number,
  cause: unknown,
): PipelineError =>
  new PipelineError(
    `${file === undefined ? 'the answer' : `"${file}"`} is not ${format} in line ${line}: ${excerpt((cause as Error).message.split('\n')[0]!, 200)}`,
    {
      code: 'HTTP_NOT_JSON',
      fix: 'check the format of the endpoint; when the file itself is wrong, the API has to mend it',
      cause,
    },
  )
