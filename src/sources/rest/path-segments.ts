import { PipelineError } from '../../errors/index.ts'

/** A slash that is not inside of a placeholder. */
const slash = /\/(?![^{}]*\})/

/**
 * Returns a filled path. Throws `PATH_VALUE_FORBIDDEN` where values turn a whole segment into nothing, `.` or `..`: a URL parser
 * takes these as steps, so the request would ask for another place. Encoding does not help, it is undone.
 */
export function checkedPath(template: string, filled: string): string {
  const segments = beforeQuery(filled).split('/')
  beforeQuery(template)
    .split(slash)
    .forEach((written, at) => {
      const segment = segments[at] ?? ''
      if (written.includes('{') && isStep(segment)) throw leavesItsPlace(template, segment)
    })
  return filled
}

const beforeQuery = (path: string): string => path.split(/[?#](?![^{}]*\})/, 1)[0]!

const isStep = (segment: string): boolean => /^(\.|%2e){0,2}$/i.test(segment)

const leavesItsPlace = (template: string, segment: string): PipelineError =>
  new PipelineError(
    `the path "${template}" got ${segment === '' ? 'an empty value' : `the value "${segment}"`}, and would lead elsewhere`,
    {
      code: 'PATH_VALUE_FORBIDDEN',
      fix: 'leave such rows out of the parent with a filter, or name a field that always holds an id',
    },
  )
