let last = 0

/** A load id in dlt's form, Unix time in seconds with microseconds; strictly increasing in one process. */
export function newLoadId(): string {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000)
  last = Math.max(micros, last + 1)
  return `${Math.floor(last / 1e6)}.${String(last % 1e6).padStart(6, '0')}`
}
