/** Names under which APIs keep their rows, for answers and for descriptions of answers. */
const usual = new Set([
  'data',
  'items',
  'results',
  'result',
  'records',
  'rows',
  'entries',
  'entities',
  'objects',
  'content',
  'payload',
  'values',
  'value',
  'list',
  '_embedded',
])
/** Lists here describe the answer, they are not its rows. */
const aside = new Set([
  'meta',
  'metadata',
  'pagination',
  'paging',
  'links',
  '_links',
  'errors',
  'warnings',
  'extras',
  'headers',
  'included',
  'facets',
  'aggregations',
])

export const isUsualName = (key: string): boolean => usual.has(key.toLowerCase())
export const isAside = (key: string): boolean => aside.has(key.toLowerCase())
