import { excerpt, PipelineError } from '../../../errors/index.ts'

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
