import { diffPatch } from 'node-diff3'

const around = 2

/** What to change in a text to get the other: `-` goes, `+` comes, with two lines around. */
export function lineDiff(before: string, after: string): string[] {
  const [a, b] = [before.split('\n'), after.split('\n')]
  return diffPatch(a, b).flatMap(({ buffer1, buffer2 }) => {
    const end = buffer1.offset + buffer1.length
    return [
      `@ line ${buffer1.offset + 1}`,
      ...a.slice(Math.max(0, buffer1.offset - around), buffer1.offset).map((line) => ` ${line}`),
      ...buffer1.chunk.map((line) => `-${line}`),
      ...buffer2.chunk.map((line) => `+${line}`),
      ...a.slice(end, end + around).map((line) => ` ${line}`),
    ]
  })
}
