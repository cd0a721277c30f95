/** One cell with the comma or the end that follows it: in quotes, or plain. */
const cell = /(?:"([^"]*(?:""[^"]*)*)"|([^",]*))(,|$)/y

/** The cells of a line that a `DelimitedWriter` wrote, null for empty ones; `undefined` for a part of a row that spans lines. */
export function cellsOfLine(line: string): (string | null)[] | undefined {
  const cells: (string | null)[] = []
  cell.lastIndex = 0
  for (;;) {
    const found = cell.exec(line)
    if (found === null) return undefined
    const [, quoted, plain, end] = found
    cells.push(quoted?.replaceAll('""', '"') ?? (plain === '' ? null : plain!))
    if (end === '') return cells
  }
}
