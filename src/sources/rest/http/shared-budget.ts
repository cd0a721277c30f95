import type { RateLimit } from '../spec.ts'

/** What all processes together may ask of one server. */
export interface SharedBudget {
  /** Takes the right to send one request; after how many milliseconds it may be sent. */
  take(limit: RateLimit): Promise<number>
  /** Nobody sends for so many milliseconds: the server asked for it. */
  pause(ms: number): void
}

let budgetOf: ((origin: string) => SharedBudget) | undefined

/**
 * Clients that are made from here on keep their `rateLimit` together with other processes: `make` gives the budget of a server,
 * by its origin. `undefined`: each process by itself, as it is without this.
 */
export function shareRateBudgets(make: ((origin: string) => SharedBudget) | undefined): void {
  budgetOf = make
}

export const sharedBudget = (origin: string): SharedBudget | undefined => budgetOf?.(origin)
