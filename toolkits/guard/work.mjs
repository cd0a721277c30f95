// What one question may cost. A command can be short and mean a lot: variables that double, folders in folders.

/** Longest value that a variable hands on; a longer one can be any text. */
export const longestValue = 65_536
/** About a second on a slow machine; ordinary commands take less than a hundredth of it. */
const mostSteps = 4_000_000

class TooMuchWork extends Error {}

/** Why not, within what one question may cost. `decide` is given the places with the work that is left. */
export function decided(places, decide) {
  try {
    return decide(places.work === undefined ? { ...places, work: new Work() } : places)
  } catch (error) {
    if (error instanceof TooMuchWork) return 'the command means too much to be read: split it'
    throw error
  }
}

/** Steps that are left for a question, and what was looked up for it. */
export class Work {
  #left = mostSteps
  #known = new Map()

  /** Throws when a question takes more than it may; `decided` makes a reason of it. */
  spend(steps) {
    this.#left -= steps
    if (this.#left < 0) throw new TooMuchWork()
  }

  /** What `look` finds by a key, looked up once. */
  once(key, look) {
    if (!this.#known.has(key)) {
      // The file system is slower than letters are.
      this.spend(500)
      this.#known.set(key, look())
    }
    return this.#known.get(key)
  }
}
