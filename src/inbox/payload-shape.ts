/** A payload within these limits becomes rows; the limits of a destination may be lower. */
export const shapeLimits = { levels: 100, keys: 2000, keyLength: 1000 }

/** The keys of all objects at one place of a payload: what becomes columns and tables, however often it is there. */
type Keys = Map<string, Keys>

/** Why a payload cannot become rows: its depth, or the number or length of its different keys. Takes linear time. */
export function shapeProblem(payload: unknown): string | undefined {
  const { levels, keys, keyLength } = shapeLimits
  let found = 0
  const open: { value: unknown; level: number; at: Keys }[] = [{ value: payload, level: 0, at: new Map() }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, level, at } = next
    if (typeof value !== 'object' || value === null) continue
    if (level === levels) return `nests deeper than ${levels} levels`
    if (Array.isArray(value)) {
      const items = below(at, '[]')
      for (const item of value) open.push({ value: item, level: level + 1, at: items })
      continue
    }
    for (const [key, inner] of Object.entries(value)) {
      if (key.length > keyLength) return `has a key of more than ${keyLength} characters`
      if (!at.has(key)) found += 1
      if (found > keys) return `has more than ${keys} different keys`
      open.push({ value: inner, level: level + 1, at: below(at, key) })
    }
  }
  return undefined
}

function below(at: Keys, key: string): Keys {
  let keys = at.get(key)
  if (keys === undefined) at.set(key, (keys = new Map()))
  return keys
}
