import { Document, visit } from 'yaml'
import type { Draft, DraftResource } from './draft-source.ts'

const lineWidth = 110

/** Small objects stand in one line. */
function yaml(value: unknown, indent: number): string {
  const document = new Document(value)
  visit(document, {
    Map(_key, map, path) {
      const text = JSON.stringify(map)
      const isNamed = map.has('name') || map.has('path') || path.length < 2
      if (!isNamed && text.length < lineWidth - indent) map.flow = true
    },
  })
  const lines = document.toString({ lineWidth: 0, flowCollectionPadding: true }).trimEnd().split('\n')
  return lines.map((line) => ' '.repeat(indent) + line).join('\n')
}

/** The draft as a source file; what was not found stands in it as comments. */
export function sourceFileText(draft: Draft): string {
  const key = mostFrequent(draft.resources.flatMap(({ primaryKey }) => primaryKey ?? []))
  const lines = [
    '# yaml-language-server: $schema=node_modules/sluice/source.schema.json',
    `# Made from the description of ${oneLine(draft.title)}. Lines with "not found" are yours to fill in.`,
    yaml({ name: draft.name }, 0),
    'client:',
    draft.baseUrl === undefined
      ? '  # base_url: not found\n  base_url: https://api.example.com'
      : yaml({ base_url: draft.baseUrl }, 2),
    draft.auth === undefined ? '  # auth: not found' : yaml({ auth: draft.auth }, 2),
    '  # rate_limit: not found; the headers of answers are obeyed',
    'resource_defaults:',
    ...(key === undefined ? [] : [yaml({ primary_key: key, write_disposition: 'merge' }, 2)]),
    ...(key === undefined ? ['  write_disposition: replace'] : []),
    draft.resources.length === 0 ? 'resources: []' : 'resources:',
    ...draft.resources.flatMap((one) => resourceLines(one, key)),
  ]
  return `${lines.join('\n')}\n`
}

function resourceLines(resource: DraftResource, key: string | undefined): string[] {
  const { name, primaryKey, needs, missing, suggestion, summary, endpoint, parent } = resource
  const hints = parent !== undefined ? childHints(resource, parent) : primaryKey === key ? {} : keyHints(primaryKey)
  // What a person has to give first is not read until it is asked for.
  const selected = needs.length === 0 ? {} : { selected: false }
  const [first, ...rest] = yaml({ name, ...hints, ...selected, endpoint }, 4).split('\n')
  return [
    ...(summary === '' ? [] : [`  # ${oneLine(summary)}`]),
    ...(needs.length === 0 ? [] : [`  # needs settings: ${needs.join(', ')}`]),
    ...missing.map((what) => `  # not found: ${what}`),
    `  - ${first!.trimStart()}`,
    ...rest,
    ...(suggestion === undefined ? [] : [`      # ${suggestion}`]),
  ]
}

const keyHints = (primaryKey: string | undefined): Record<string, unknown> =>
  primaryKey === undefined
    ? { primary_key: [], write_disposition: 'replace' }
    : { primary_key: primaryKey, write_disposition: 'merge' }

/** Its rows are told from those of other parents, whose rows a run need not read. Without a key, a parent's rows come anew. */
function childHints({ primaryKey, isList }: DraftResource, { name, field }: { name: string; field: string }) {
  const ofParent = `_${name}_${field}`
  const keys =
    primaryKey === undefined && isList
      ? { primary_key: [], merge_key: ofParent }
      : { primary_key: primaryKey === undefined ? ofParent : [ofParent, primaryKey] }
  return { ...keys, write_disposition: 'merge', include_from_parent: [field] }
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, 100)

function mostFrequent(values: readonly string[]): string | undefined {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0]
}
