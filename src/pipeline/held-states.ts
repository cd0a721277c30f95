import type { ResourceState } from '../extract/index.ts'
import { resourceState, setResourceState, type PipelineState } from './state.ts'

/**
 * What resources have reached, until their rows are packaged: a state in a package without the rows it speaks of would
 * lose them in a crash.
 */
export class HeldStates {
  private readonly state: PipelineState
  private readonly source: string
  /** The resources of one tree go together, by the tree's first one. */
  private readonly trees = new Map<string, Map<string, ResourceState>>()

  constructor(state: PipelineState, source: string) {
    this.state = state
    this.source = source
  }

  keep(states: Map<string, ResourceState>): void {
    const [root] = states.keys()
    if (root !== undefined) this.trees.set(root, states)
  }

  forget(resources: readonly string[]): void {
    for (const resource of resources) this.trees.delete(resource)
  }

  /** Puts the states of trees none of whose resources is held into the pipeline's state; true when there were any. */
  release(isHeld: (resource: string) => boolean): boolean {
    let released = false
    for (const [root, states] of this.trees) {
      if ([...states.keys()].some(isHeld)) continue
      this.trees.delete(root)
      for (const [resource, state] of states) {
        if (isEmpty(state) && isEmpty(resourceState(this.state, this.source, resource))) continue
        setResourceState(this.state, this.source, resource, state)
        released = true
      }
    }
    return released
  }
}

const isEmpty = (state: ResourceState): boolean => Object.keys(state).length === 0
