import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PipelineError } from '../index.ts'
import { html, markdown, type Block } from '../workbench/document.ts'
import { llmsText, type IndexedPage } from '../workbench/llms-text.ts'
import { sourceFiles } from '../workbench/source-catalogue.ts'
import { sourceFacts, sourcePage, type SourceFacts } from '../workbench/source-page.ts'
import { done, printJson, type CommandResult } from './command.ts'
import { style, wrap } from './style.ts'

const wrongUse = (message: string, fix: string): PipelineError => new PipelineError(message, { code: 'WRONG_USE', fix })

/** `sluice source docs`: what is known of a source, or pages of all named ones in a folder. */
export async function sourceDocs(
  given: readonly string[],
  values: { format?: string | undefined; output?: string | undefined; json?: boolean | undefined },
): Promise<CommandResult> {
  const names = given.length > 0 ? given : sourceFiles(process.cwd())
  if (names.length === 0) throw wrongUse('source docs: of which source?', 'name a platform or a source file')
  const facts = await Promise.all(names.map((name) => sourceFacts(name)))
  if (values.json === true) printJson(facts.length === 1 ? facts[0] : facts)
  else if (values.output !== undefined) writePages(values.output, facts)
  else for (const one of facts) console.log(rendered(one, values.format ?? (process.stdout.isTTY ? 'text' : 'md')))
  return done
}

function rendered(facts: SourceFacts, format: string): string {
  if (format === 'text') return text(sourcePage(facts))
  if (format === 'md') return markdown(sourcePage(facts)).trimEnd()
  if (format === 'html') return html(sourcePage(facts)).trimEnd()
  throw wrongUse(`--format ${format}`, 'use text, md or html')
}

/** A page of each source, its HTML twin, and an index for language models. */
function writePages(folder: string, all: readonly SourceFacts[]): void {
  mkdirSync(folder, { recursive: true })
  const pages: IndexedPage[] = all.map((facts) => {
    const blocks = sourcePage(facts)
    writeFileSync(join(folder, `${facts.name}.md`), markdown(blocks))
    writeFileSync(join(folder, `${facts.name}.html`), html(blocks))
    return { title: facts.title, address: `${facts.name}.md`, about: facts.intro.replaceAll('`', '') }
  })
  const summary = 'Sources that can be loaded into a database with Sluice.'
  writeFileSync(join(folder, 'llms.txt'), llmsText('Sources', summary, new Map([['Sources', pages]])))
  console.log(`${folder}: ${pages.map(({ address }) => address).join(', ')}, the same as HTML, and llms.txt`)
}

/** A page on a terminal; what a table says of one thing stands below its name. */
const text = (blocks: readonly Block[]): string =>
  blocks
    .map((block) => {
      switch (block.kind) {
        case 'heading':
          return block.level === 3 ? block.text : style.strong(block.text)
        case 'paragraph':
          return wrap(block.text, 80).join('\n')
        case 'list':
          return block.items.map((item) => `  - ${wrap(item, 74).join('\n    ')}`).join('\n')
        case 'code':
          return block.text
            .split('\n')
            .map((line) => `    ${line}`)
            .join('\n')
        case 'table':
          return block.rows.map((row) => rowText(block.columns, row)).join('\n')
      }
    })
    .join('\n\n')

function rowText(columns: readonly string[], cells: readonly string[]): string {
  const [first, ...others] = columns
    .map((column, at) => ({ column, cell: cells[at]! }))
    .filter(({ cell }) => cell !== '')
  const facts = others.map(({ column, cell }) =>
    ['Endpoint', 'Description', 'Name', 'Kind'].includes(column) ? cell : `${column.toLowerCase()} ${cell}`,
  )
  return [`  ${first!.cell}`, ...wrap(facts.join('; '), 74).map((line) => style.faint(`      ${line}`))].join('\n')
}
