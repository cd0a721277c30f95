const colours =
  process.env.NO_COLOR === undefined && (process.stdout.isTTY === true || process.env.FORCE_COLOR !== undefined)

const paint =
  (code: number) =>
  (text: string): string =>
    colours ? `\u001b[${code}m${text}\u001b[0m` : text

/** Colour for state only, and never the only sign of it. */
export const style = { done: paint(32), waiting: paint(33), failed: paint(31), faint: paint(2), strong: paint(1) }

export const count = (value: number): string => value.toLocaleString('en-US')

export const plural = (value: number, one: string): string => `${count(value)} ${one}${value === 1 ? '' : 's'}`

export function duration(ms: number): string {
  if (ms < 100_000) return `${(ms / 1000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`
}

/** Text with control characters made visible and cut to a width: data must not drive the terminal. */
export function clean(value: unknown, width: number): string {
  const text =
    value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  // oxlint-disable-next-line no-control-regex
  const visible = text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (symbol) => (symbol === '\n' ? '↵' : '·'))
  return visible.length > width ? `${visible.slice(0, Math.max(width - 1, 0))}…` : visible
}

const screen = 80
const gap = '  '
const narrowest = 6

/** Rows as columns within 80 characters, numbers to the right. Columns that find no room are counted at the end. */
export function table(rows: readonly Record<string, unknown>[], columns = Object.keys(rows[0] ?? {})): string {
  const texts = rows.map((row) => columns.map((column) => cellText(row[column])))
  const natural = columns.map((column, at) => Math.max(column.length, ...texts.map((cells) => cells[at]!.length)))
  const widths = fitWidths(natural)
  const numeric = columns.map((column) => rows.every((row) => typeof row[column] === 'number' || row[column] === null))
  const line = (cells: readonly string[]): string =>
    widths
      .map((width, at) => {
        const cell = clean(cells[at]!, width)
        return numeric[at] ? cell.padStart(width) : cell.padEnd(width)
      })
      .join(gap)
      .trimEnd()
  const hidden = columns.length - widths.length
  const note = hidden > 0 ? [style.faint(`… and ${plural(hidden, 'more column')}; --json shows all`)] : []
  return [style.faint(line(columns)), ...texts.map(line), ...note].join('\n')
}

const cellText = (value: unknown): string => (typeof value === 'number' ? count(value) : clean(value, 200))

/** Takes room from the widest columns until all fit; leaves out the last ones when even that is not enough. */
function fitWidths(natural: readonly number[]): number[] {
  const most = Math.floor((screen + gap.length) / (narrowest + gap.length))
  const widths = natural.slice(0, most)
  const room = screen - gap.length * (widths.length - 1)
  for (let total = widths.reduce((sum, width) => sum + width, 0); total > room; total--) {
    const widest = widths.indexOf(Math.max(...widths))
    widths[widest] = widths[widest]! - 1
  }
  return widths
}

/** Text in lines of at most so many characters; a longer word has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!
    if (last !== '' && last.length + word.length + 1 > width) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}
