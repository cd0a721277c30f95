import type { Cell } from '../api.ts'

export const count = (value: number): string => value.toLocaleString('en-US')
export const plural = (value: number, one: string): string => `${count(value)} ${one}${value === 1 ? '' : 's'}`

export function duration(ms: number): string {
  if (ms < 1000) return `${(ms / 1000).toFixed(2)} s`
  if (ms < 100_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`
  return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`
}

export function bytes(value: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  const at = value < 1 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), units.length - 1)
  return `${(value / 1000 ** at).toFixed(at === 0 ? 0 : 1)} ${units[at]}`
}

/** How long ago a moment was. */
export function age(moment: string, now = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(moment)) / 1000)
  if (seconds < 10) return 'just now'
  if (seconds < 60) return `${Math.floor(seconds)} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  return plural(Math.floor(seconds / 86_400), 'day') + ' ago'
}

/** A moment as people read it: `2026-03-01 10:00:00`, in UTC. */
export const moment = (text: string): string => text.replace('T', ' ').replace(/(\.000(000)?)?Z$/, '')

export const compact = (value: number): string =>
  new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 }).format(value)

export const cellText = (cell: Cell): string =>
  cell === null ? '' : typeof cell === 'object' ? `${cell.text}…` : String(cell)

const numeric = new Set(['bigint', 'double', 'decimal', 'wei'])
export const isNumeric = (dataType: string): boolean => numeric.has(dataType)
