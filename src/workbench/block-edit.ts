import type { Insertion } from './json-edit.ts'

// Text files that people write too: what is ours is a block between two marks.

/** How the language of a file writes comments. */
export type Marks = 'markdown' | 'hash'

const marks: Record<Marks, readonly [string, string]> = {
  markdown: ['<!-- sluice:begin -->', '<!-- sluice:end -->'],
  hash: ['# sluice:begin', '# sluice:end'],
}

/** Puts the block at the end; one that is there already gets the new text in its place. */
export function insertBlock(
  text: string,
  kind: Marks,
  block: string,
): { text: string; insertions: Insertion[] | undefined } {
  const [begin, end] = marks[kind]
  const whole = `${begin}\n${block.trim()}\n${end}`
  const found = blockIn(text, kind)
  if (found !== undefined) {
    if (text.slice(found.at, found.at + found.length) === whole) return { text, insertions: undefined }
    return { text: text.slice(0, found.at) + whole + text.slice(found.at + found.length), insertions: undefined }
  }
  const gap = text === '' || text.endsWith('\n\n') ? '' : text.endsWith('\n') ? '\n' : '\n\n'
  const added = `${gap}${whole}\n`
  return { text: text + added, insertions: [{ at: text.length, length: added.length }] }
}

/** Takes the block out, with the empty line before it. */
export function removeBlock(text: string, kind: Marks): string {
  const found = blockIn(text, kind)
  if (found === undefined) return text
  const before = text.slice(0, found.at).replace(/\n\n$/, '\n')
  return before + text.slice(found.at + found.length).replace(/^\n/, '')
}

function blockIn(text: string, kind: Marks): Insertion | undefined {
  const [begin, end] = marks[kind]
  const at = text.indexOf(begin)
  const last = at === -1 ? -1 : text.indexOf(end, at)
  return last === -1 ? undefined : { at, length: last + end.length - at }
}
