/** A page that an index names. */
export interface IndexedPage {
  title: string
  address: string
  about: string
}

/** An index of pages for language models: https://llmstxt.org. */
export function llmsText(
  title: string,
  summary: string,
  sections: ReadonlyMap<string, readonly IndexedPage[]>,
): string {
  const parts = [...sections].map(([name, pages]) =>
    [`## ${name}`, pages.map((page) => `- [${page.title}](${page.address}): ${page.about}`).join('\n')].join('\n\n'),
  )
  return `${[`# ${title}`, `> ${summary}`, ...parts].join('\n\n')}\n`
}
