/**
 * What happens to a file. `merge`: the new version and the user's edits go together. `conflict`: they do not, and the user's
 * text stays. `yours`: edited by the user, and nothing new to merge. `kept`: not ours, or deleted on purpose.
 */
export type Action = 'create' | 'update' | 'merge' | 'unchanged' | 'yours' | 'conflict' | 'kept' | 'delete'

export interface Step {
  path: string
  action: Action
  /** The text it gets; `undefined` when it is deleted, or stays as it is. */
  text?: string
  detail?: string
}
