/** Does one action of the dashboard, in a process of its own: `act.ts <pipeline> <action> <options as JSON>`. */
import { attach, attachToFailed, PipelineError, redact } from '../index.ts'
import type { Action } from './actions.ts'

const [name, action, text] = process.argv.slice(2) as [string, Action, string]
const options = JSON.parse(text) as { source?: string; resources?: string[]; stateOnly?: boolean; loadId?: string }

async function done(): Promise<unknown> {
  const pipeline = attach(name)
  switch (action) {
    case 'sync':
      return { sources: Object.keys((await pipeline.sync())?.sources ?? {}) }
    case 'drop-pending-packages':
      return { dropped: pipeline.dropPendingPackages() }
    case 'drop': {
      const source = options.source ?? (await pipeline.defaultSource())
      if (source === undefined) {
        throw new PipelineError(`${name} has loaded nothing yet`, {
          code: 'WRONG_USE',
          fix: 'there is nothing to drop',
        })
      }
      return {
        tables: await pipeline.dropResources(source, options.resources, { stateOnly: options.stateOnly === true }),
      }
    }
    case 'retry-failed-package':
      return { rows: await attachToFailed(name, loadId()).retryFailedPackage(loadId()) }
    case 'discard-failed-package':
      pipeline.discardFailedPackage(loadId())
      return { discarded: loadId() }
    default:
      throw new Error(`there is no action ${String(action)}`)
  }
}

function loadId(): string {
  if (typeof options.loadId === 'string') return options.loadId
  throw new PipelineError('no failed package was chosen', { code: 'WRONG_USE', fix: 'reload the page' })
}

try {
  console.log(JSON.stringify(await done()))
} catch (error) {
  const known = error instanceof PipelineError
  const { message } = error as Error
  const told = known
    ? { code: error.code, message: error.summary, fix: error.fix }
    : { code: 'UNEXPECTED', message: redact(message), fix: '' }
  console.log(JSON.stringify({ error: told }))
  process.exitCode = 1
}
