import { PipelineError } from '../index.ts'

/** `90s`, `15m`, `6h`, `2d`. */
export type Duration = `${number}${'s' | 'm' | 'h' | 'd'}`

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** In milliseconds. */
export function durationMs(text: string, what: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? []
  const ms = Number(amount) * (units[unit as keyof typeof units] ?? Number.NaN)
  if (Number.isFinite(ms) && ms > 0) return ms
  throw new PipelineError(`${what}: "${text}" is no duration`, {
    code: 'WRONG_USE',
    fix: 'write it as 90s, 15m, 6h or 2d',
  })
}
