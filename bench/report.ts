import type { Result } from './run.ts'

const middle = (numbers: number[]): number => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!

export interface Summary {
  shape: string
  tool: string
  destination: string
  rowsPerSecond: number
  cpuPerWall: number
  peakRssMiB: number
  runs: number
}

/** The median run of each tool. */
export function summaries(results: readonly Result[]): Summary[] {
  const groups = new Map<string, Result[]>()
  for (const result of results) {
    const key = [result.shape, result.tool, result.destination].join(' ')
    groups.set(key, [...(groups.get(key) ?? []), result])
  }
  return [...groups.values()].map((group) => ({
    shape: group[0]!.shape,
    tool: group[0]!.tool,
    destination: group[0]!.destination,
    rowsPerSecond: middle(group.map((one) => one.rowsPerSecond)),
    cpuPerWall: middle(group.map((one) => one.cpuMs / one.wallMs)),
    peakRssMiB: middle(group.map((one) => one.peakRssMiB)),
    runs: group.length,
  }))
}

export interface Ratio {
  what: string
  value: number | undefined
  target: number
  atMost: boolean
}

/** The ratios that are aimed at, as far as this run has measured them. */
export function ratios(found: readonly Summary[]): Ratio[] {
  const rate = (shape: string, tool: string, destination: string): number | undefined =>
    found.find((one) => one.shape === shape && one.tool === tool && one.destination === destination)?.rowsPerSecond
  const over = (a: number | undefined, b: number | undefined): number | undefined =>
    a === undefined || b === undefined ? undefined : a / b
  const list: Ratio[] = []
  for (const shape of ['flat', 'nested']) {
    for (const destination of ['duckdb', 'postgres']) {
      const mine = rate(shape, 'sluice', destination)
      const add = (what: string, value: number | undefined, target: number, atMost = false): void =>
        void list.push({ what: `${shape} → ${destination}: ${what}`, value, target, atMost })
      add('times dlt with defaults', over(mine, rate(shape, 'dlt', destination)), 20)
      add('times dlt tuned', over(mine, rate(shape, 'dlt-tuned', destination)), 12)
      add('append over merge', over(mine, rate(shape, 'merge', destination)), 2, true)
    }
  }
  const parsed = over(rate('nested', 'sluice', 'duckdb'), rate('nested', 'parse', '-'))
  list.push({ what: 'nested → duckdb: share of JSON.parse alone', value: parsed, target: 0.45, atMost: false })
  const copied = over(rate('flat', 'sluice', 'postgres'), rate('flat', 'copy_text', '-'))
  list.push({ what: 'flat → postgres: share of COPY alone', value: copied, target: 0.5, atMost: false })
  return list.filter(({ value }) => value !== undefined)
}

export const isMet = ({ value, target, atMost }: Ratio): boolean => (atMost ? value! <= target : value! >= target)

/** The results as Markdown. */
export function table(results: readonly Result[], about: string): string {
  const found = summaries(results)
  const number = (value: number): string => Math.round(value).toLocaleString('en')
  const rows = found.map((one) => {
    const cells = [one.shape, one.tool, one.destination, number(one.rowsPerSecond), one.cpuPerWall.toFixed(2)]
    return `| ${[...cells, number(one.peakRssMiB), one.runs].join(' | ')} |`
  })
  const aims = ratios(found).map(
    (ratio) =>
      `| ${ratio.what} | ${ratio.value!.toFixed(2)} | ${ratio.atMost ? '≤' : '≥'} ${ratio.target} | ${isMet(ratio) ? 'yes' : 'no'} |`,
  )
  return [
    about,
    '',
    '| data | tool | into | rows/s | CPU ÷ wall | peak RSS MiB | runs |',
    '| --- | --- | --- | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
    '| ratio | here | aim | met |',
    '| --- | ---: | ---: | --- |',
    ...aims,
  ].join('\n')
}
