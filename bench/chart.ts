import { summaries, type Summary } from './report.ts'
import type { Result } from './run.ts'

const labels: Record<string, string> = { sluice: 'Sluice', 'dlt-tuned': 'dlt, tuned', dlt: 'dlt, defaults' }
const destinations: Record<string, string> = { duckdb: 'DuckDB', postgres: 'PostgreSQL' }
const shapes: Record<string, string> = { flat: 'flat rows', nested: 'nested rows (three tables)' }

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** Bars of rows a second, one group for each kind of data and destination; readable on light and dark pages. */
export function chart(results: readonly Result[], about: string): string {
  const found = summaries(results).filter(({ tool, destination }) => tool in labels && destination in destinations)
  const groups = new Map<string, Summary[]>()
  for (const one of found) {
    const title = `${shapes[one.shape] ?? one.shape} into ${destinations[one.destination]}`
    groups.set(title, [...(groups.get(title) ?? []), one])
  }
  const parts: string[] = []
  let y = 44
  const [left, width] = [130, 420]
  for (const [title, bars] of groups) {
    const most = Math.max(...bars.map((bar) => bar.rowsPerSecond))
    const order = Object.keys(labels)
    parts.push(`<text x="16" y="${y}" class="title">${escaped(title)}</text>`)
    y += 12
    for (const bar of bars.sort((a, b) => order.indexOf(a.tool) - order.indexOf(b.tool))) {
      const length = Math.max(2, (bar.rowsPerSecond / most) * width)
      const times = bar.tool === 'sluice' ? '' : `, ${(most / bar.rowsPerSecond).toFixed(1)} × slower`
      const rate = `${Math.round(bar.rowsPerSecond).toLocaleString('en')} rows/s${times}`
      parts.push(
        `<text x="${left - 10}" y="${y + 14}" class="label" text-anchor="end">${labels[bar.tool]}</text>`,
        `<rect x="${left}" y="${y + 2}" width="${length.toFixed(1)}" height="16" rx="2" class="${bar.tool === 'sluice' ? 'own' : 'other'}"/>`,
        `<text x="${(left + length + 8).toFixed(1)}" y="${y + 14}" class="value">${rate}</text>`,
      )
      y += 24
    }
    y += 28
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 ${y + 4}" role="img" aria-label="Rows a second by tool">`,
    '<style>',
    'text { font: 13px system-ui, sans-serif; fill: #3d4450 } .title { font-weight: 600; fill: #1d2430 }',
    '.value, .about { fill: #667080 } .about { font-size: 11px } .own { fill: #1f7a8c } .other { fill: #a9b4c2 }',
    '@media (prefers-color-scheme: dark) { text { fill: #c6ceda } .title { fill: #eef2f7 }',
    '.value, .about { fill: #98a3b3 } .own { fill: #46b1c9 } .other { fill: #55606f } }',
    '</style>',
    '<text x="16" y="22" class="about">rows a second from a local REST API, longer is faster, measured side by side</text>',
    ...parts,
    `<text x="16" y="${y - 8}" class="about">${escaped(about)}</text>`,
    '</svg>',
    '',
  ].join('\n')
}
