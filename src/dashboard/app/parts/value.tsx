import type { JSX } from 'preact'
import type { Cell } from '../../api.ts'
import { cellText, count } from '../format.ts'

/** A whole value: JSON laid out, long text with its length. */
export function Value({ cell }: { cell: Cell }): JSX.Element {
  const text = cellText(cell)
  return (
    <>
      <pre class="value">{laidOut(text)}</pre>
      {typeof cell === 'object' && cell !== null && (
        <p class="hint">
          The first {count(cell.text.length)} of {count(cell.length)} characters. All of it: <code>select</code> it and
          export.
        </p>
      )}
    </>
  )
}

function laidOut(text: string): string {
  if (!/^[[{]/.test(text)) return text
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
