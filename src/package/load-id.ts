import { randomInt } from 'node:crypto'

let last = 0
/** Of this process: two that seal a package in the same microsecond must not give it one id, or only one would be loaded. */
const own = String(randomInt(10_000)).padStart(4, '0')

/** A load id in dlt's form, Unix time in seconds with ten digits behind the point; strictly increasing in one process. */
export function newLoadId(): string {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000)
  last = Math.max(micros, last + 1)
  return `${Math.floor(last / 1e6)}.${String(last % 1e6).padStart(6, '0')}${own}`
}
