/** The address in a list of links, `[{ rel: 'next', href: … }]`. */
export function nextOf(links: readonly unknown[]): string | undefined {
  for (const link of links) {
    if (typeof link !== 'object' || link === null) continue
    const { rel, relation, href, url, uri } = link as Record<string, unknown>
    const relations = [rel ?? relation].flat().map((one) => String(one).toLowerCase())
    const target = href ?? url ?? uri
    if (relations.includes('next') && typeof target === 'string') return target
  }
  return undefined
}
