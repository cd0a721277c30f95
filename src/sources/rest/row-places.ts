import { isAside } from './row-names.ts'

const deepest = 4
const most = 5

/** Selectors that would find a list in a response: lists of objects first, outermost first. */
export function rowPlaces(body: unknown): string[] {
  const found: { path: string; isObjects: boolean; depth: number }[] = []
  const visit = (value: unknown, path: string, depth: number): void => {
    if (Array.isArray(value)) {
      found.push({
        path: path === '' ? '$' : path,
        isObjects: typeof value[0] === 'object' && value[0] !== null,
        depth,
      })
      return
    }
    if (typeof value !== 'object' || value === null || depth === deepest) return
    for (const [key, inner] of Object.entries(value)) {
      if (isAside(key)) continue
      const step = /^[A-Za-z_][\w-]*$/.test(key) ? key : `['${key.replace(/['\\]/g, '\\$&')}']`
      visit(inner, path === '' || step.startsWith('[') ? path + step : `${path}.${step}`, depth + 1)
    }
  }
  visit(body, '', 0)
  return found
    .toSorted((a, b) => Number(b.isObjects) - Number(a.isObjects) || a.depth - b.depth)
    .slice(0, most)
    .map(({ path }) => path)
}
