/** A run waits no longer for a server, whatever header says so: some APIs count by the hour, a quota of a day ends the run. */
export const longestStatedWaitMs = 2 * 3_600_000

export function waitText(ms: number): string {
  const hours = ms / 3_600_000
  return hours < 72
    ? `${Math.round(hours).toLocaleString('en')} hours`
    : `${Math.round(hours / 24).toLocaleString('en')} days`
}
