import { readFileSync } from 'node:fs'

/** What one run of one tool cost. */
export interface Measurement {
  wallMs: number
  cpuMs: number
  peakRssMiB: number
  /** Written to disk, where the system tells. */
  writtenMiB: number | undefined
  stages: Record<string, number>
}

function writtenBytes(): number | undefined {
  try {
    return Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
  } catch {
    return undefined
  }
}

/** Runs the work and prints its measurement as the last line. */
export async function measured(work: () => Promise<unknown>, stages: Record<string, number> = {}): Promise<void> {
  const cpu = process.cpuUsage()
  const begun = performance.now()
  await work()
  const wallMs = performance.now() - begun
  const { user, system } = process.cpuUsage(cpu)
  const written = writtenBytes()
  const measurement: Measurement = {
    wallMs,
    cpuMs: (user + system) / 1000,
    peakRssMiB: process.resourceUsage().maxRSS / 1024,
    writtenMiB: written === undefined ? undefined : written / 1024 / 1024,
    stages,
  }
  console.log(JSON.stringify(measurement))
}
