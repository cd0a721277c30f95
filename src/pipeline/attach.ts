import { pipelineDir } from '../config/index.ts'
import type { ReadLimits } from '../destinations/index.ts'
import { PipelineError } from '../errors/index.ts'
import { findFailed } from './failed-packages.ts'
import { Pipeline } from './pipeline.ts'
import { rememberedTarget, type RememberedTarget } from './remembered-target.ts'

/**
 * Opens a pipeline that has run before, from its name alone. With `readOnly`, a query is one
 * statement that changes nothing, ends at its time limit, and waits for no run. With `target`, the pipeline is opened at
 * another destination and dataset than those of its last run.
 */
export function attach(name: string, options: { readOnly?: ReadLimits; target?: RememberedTarget } = {}): Pipeline {
  const target = options.target ?? rememberedTarget(name)
  if (target === undefined) {
    throw new PipelineError(`there is no pipeline "${name}" in ${pipelineDir(name)}`, {
      code: 'PIPELINE_UNKNOWN',
      fix: 'run it first, or see what there is with: sluice pipeline --list',
    })
  }
  return new Pipeline({ name, dataset: target.dataset, destination: target.destination }, target, options.readOnly)
}

/** Opens a pipeline where one of its failed packages belongs, to retry it. */
export function attachToFailed(name: string, loadId: string): Pipeline {
  const { dataset, destination } = findFailed(pipelineDir(name), loadId).failed.manifest
  if (destination === undefined) return attach(name)
  return attach(name, { target: { destination: destination.name, dataset, location: destination.address } })
}
