import { PipelineError } from '../index.ts'
import type { Logger } from '../telemetry/index.ts'

/** Lines of JSON on stderr, by pino; `LOG_LEVEL` says from which level on. */
export async function standardLogger(): Promise<Logger> {
  const { pino, stdTimeFunctions } = await import('pino').catch((cause: unknown) => {
    throw new PipelineError('--progress json needs the package pino', {
      code: 'DRIVER_MISSING',
      fix: 'npm install pino',
      cause,
    })
  })
  const level = process.env.LOG_LEVEL ?? 'info'
  if (!Object.hasOwn(pino.levels.values, level) && level !== 'silent') {
    throw new PipelineError(`LOG_LEVEL: there is no level "${level}"`, {
      code: 'WRONG_USE',
      fix: `use one of: ${Object.keys(pino.levels.values).join(', ')}, silent`,
    })
  }
  // Written at once: a process that is killed has said what it did.
  const logger = pino({ level, timestamp: stdTimeFunctions.isoTime }, pino.destination({ fd: 2, sync: true }))
  // pino's own type has any name as a level, `then` among them.
  return logger as unknown as Logger
}
