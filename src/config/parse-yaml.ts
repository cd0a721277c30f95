import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Alias, type Node } from 'yaml'

/**
 * A YAML document as plain values, in time that grows with its length alone: the parser itself compares every key of a map with
 * all others, and searches the whole document for each alias. Throws an `Error` for text that is not YAML, for a key that stands
 * twice in a map, and for a list, a map or an alias as a key. Aliases are one value with their anchor.
 */
export function parseYaml(text: string): unknown {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, {
    lineCounter,
    uniqueKeys: false,
    // `!!omap` compares its keys as maps do; a list of pairs is read as a list.
    resolveKnownTags: false,
    customTags: (tags) => tags.filter((one) => typeof one === 'string' || one.tag !== 'tag:yaml.org,2002:omap'),
  })
  const [error] = document.errors
  if (error !== undefined) throw error
  link(document.contents, (node) => {
    const { line, col } = lineCounter.linePos(node.range?.[0] ?? 0)
    return `line ${line}, column ${col}`
  })
  // Who reads the document limits what its aliases stand for.
  return document.toJS({ maxAliasCount: -1 })
}

/** Gives every alias its node, and checks the keys of every map, in the order of the text. */
function link(contents: unknown, placeOf: (node: Node) => string): void {
  const anchors = new Map<string, Node>()
  const open: unknown[] = [contents]
  while (open.length > 0) {
    const node = open.pop()
    if (isPair(node)) open.push(node.value, node.key)
    else if (isAlias(node)) linkAlias(node, anchors.get(node.source))
    else if (isMap(node) || isSeq(node)) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node)
      for (let at = node.items.length - 1; at >= 0; at--) open.push(node.items[at])
      if (isMap(node)) checkKeys(node.items, placeOf)
    } else if (isScalar(node) && node.anchor !== undefined) anchors.set(node.anchor, node)
  }
}

function linkAlias(alias: Alias, target: Node | undefined): void {
  alias.resolve = () => target as ReturnType<Alias['resolve']>
}

function checkKeys(pairs: readonly { key: unknown }[], placeOf: (node: Node) => string): void {
  const seen = new Set<unknown>()
  for (const { key } of pairs) {
    if (isMap(key) || isSeq(key) || isAlias(key))
      throw new Error(`a list, a map or an alias is a key, at ${placeOf(key)}`)
    if (!isScalar(key)) continue
    if (seen.has(key.value))
      throw new Error(`the key "${String(key.value).slice(0, 100)}" stands twice in one map, at ${placeOf(key)}`)
    seen.add(key.value)
  }
}
