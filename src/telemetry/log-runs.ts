import { PipelineError, redact, type Pipeline, type RunEvent } from '../index.ts'

/** What a logger has to know: pino's way, which others have too. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: object): Logger
}

/**
 * Logs what the runs of a pipeline do, a line each, with the id of the run: `logRuns(shop, pino())`. Names, figures and errors;
 * no value of a row, no payload, no secret. Returns what ends it.
 */
export function logRuns(pipeline: Pipeline, logger: Logger): () => void {
  let log = logger.child({ pipeline: pipeline.name })
  return pipeline.on((event) => {
    if (event.type === 'run-started') log = logger.child({ pipeline: pipeline.name, run: event.run })
    write(log, event)
  })
}

function write(log: Logger, event: RunEvent): void {
  switch (event.type) {
    case 'run-started': {
      const { destination, dataset, resources, partition } = event
      return log.info(
        { destination, dataset, resources, ...(partition === undefined ? {} : { partition }) },
        'run started',
      )
    }
    case 'destination-wait':
      return log.info({ holder: event.holder }, 'waiting for the destination')
    case 'resource-started':
      return log.debug({ resource: event.resource }, 'resource started')
    case 'request': {
      const { resource, method, url, status, ms } = event
      return log.debug({ resource, method, url, status, ms: Math.round(ms) }, 'request')
    }
    case 'wait': {
      const { resource, reason, ms, detail } = event
      return log.info({ resource, reason, ms: Math.round(ms), detail }, 'wait')
    }
    case 'notice':
      return log.warn({ ...event.notice }, 'notice')
    case 'resource-finished': {
      const { resource, rows, pages } = event
      return log.info({ resource, rows, pages }, 'resource finished')
    }
    case 'resource-failed':
      return log.error({ resource: event.resource, ...errorOf(event.error) }, 'resource failed')
    case 'package-loaded': {
      const { loadId, rows, ms, changes, recovered } = event
      const changed = changes.map(({ table, created, columns }) => ({
        table,
        created,
        columns: columns.map(({ name }) => name),
      }))
      return log.info({ loadId, rows, ms: Math.round(ms), changes: changed, recovered }, 'package loaded')
    }
    case 'run-finished':
      return log.info({ ms: Math.round(event.ms) }, 'run finished')
    case 'run-failed':
      return log.error({ ms: Math.round(event.ms), ...errorOf(event.error) }, 'run failed')
  }
}

const errorOf = (error: unknown): object =>
  error instanceof PipelineError
    ? { code: error.code, error: error.summary, fix: error.fix }
    : { error: redact(String((error as Error)?.message ?? error)) }
