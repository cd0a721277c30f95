import { jsonPath } from '../../../extract/index.ts'

/** What of a path a response lacks: nothing, its last key, or also what that would stand in. A null is there. */
export function missingPart(path: string, body: unknown): 'none' | 'key' | 'parent' {
  if (jsonPath(path).first(body) !== undefined) return 'none'
  const above = path.replace(/(?:\.?[^.[\]'"]+|\[[^[\]]*\])$/, '')
  const parent = above === '' || above === '$' ? body : jsonPath(above).first(body)
  return typeof parent === 'object' && parent !== null && !Array.isArray(parent) ? 'key' : 'parent'
}
