import type { EventEmitter } from 'node:events'
import type pg from 'pg'
import { PipelineError } from '../../errors/index.ts'

/**
 * Makes a message that the driver cannot parse, such as a value of more characters than a string can hold, an error of the
 * statement. The driver parses in a listener of the socket, from where an error would end the process.
 */
export function catchUnreadableMessages(client: pg.Client): void {
  const { stream } = (client as unknown as { connection: { stream: EventEmitter & { destroy(error: Error): void } } })
    .connection
  for (const parse of stream.listeners('data') as ((bytes: Buffer) => void)[]) {
    stream.off('data', parse)
    stream.on('data', (bytes: Buffer) => {
      try {
        parse(bytes)
      } catch (cause) {
        stream.destroy(unreadable(cause as Error & { code?: string }))
      }
    })
  }
}

function unreadable(cause: Error & { code?: string }): PipelineError {
  const isTooLong = cause.code === 'ERR_STRING_TOO_LONG'
  return new PipelineError(
    isTooLong ? 'a value is longer than 512 MiB' : `the server's response cannot be read: ${cause.message}`,
    {
      code: isTooLong ? 'QUERY_TOO_LARGE' : 'QUERY_FAILED',
      fix: isTooLong ? 'select a part of it: LEFT(column, 1000)' : 'run it again',
      cause,
    },
  )
}
