import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { platformByName, platformNames } from '../../src/sources/chats/registry.ts'
import { html, markdown } from '../../src/workbench/document.ts'
import { sourceFacts, sourcePage } from '../../src/workbench/source-page.ts'

const docs = fileURLToPath(new URL('../../docs/', import.meta.url))
const page = (name: string): string => readFileSync(join(docs, 'sources', name), 'utf8')

describe.each(platformNames)('docs/sources/%s.md', (name) => {
  it('has the sections that its readers look for', async () => {
    const { docs: about } = (await platformByName(name))!
    const titles = [...page(`${name}.md`).matchAll(/^## (.+)$/gm)].map(([, title]) => title)
    expect(titles).toEqual(
      expect.arrayContaining([
        `What data can I load from ${about.title}?`,
        `How do I authenticate with the ${about.title} API?`,
        'How do I set up and run the pipeline?',
        'TypeScript pipeline example',
        'How do I query the loaded data?',
        `What destinations can I load ${about.title} data to?`,
        'Troubleshooting',
        'Next steps',
      ]),
    )
    for (const topic of ['Authentication', 'Rate limits', 'Pagination', 'Errors'])
      expect(page(`${name}.md`)).toContain(`### ${topic}`)
  })

  it('tells only of resources that are there, each once, with all its cells; nothing that writes', async () => {
    const { resources } = await sourceFacts(name)
    const known = (await platformByName(name))!().resources.map((one) => one.name)
    expect(new Set(resources.map((one) => one.name)).size).toBe(resources.length)
    expect(known).toEqual(expect.arrayContaining(resources.map((one) => one.name)))
    expect(resources.filter(({ reads }) => /\b(POST|PUT|PATCH|DELETE)\b/.test(reads))).toEqual([])
    const table = page(`${name}.md`)
      .split('\n')
      .filter((line) => line.startsWith('|'))
    const first = table.slice(0, resources.length + 2).map((line) => line.split(/(?<!\\)\|/).length)
    expect(new Set(first).size).toBe(1)
    // A name in a path is a field of another resource, or an id from the settings.
    for (const one of resources) {
      if (!/\{\w+\}/.test(one.reads)) continue
      const isConfigured = (await platformByName(name))!.docs.settings.some(({ secret }) => !secret)
      expect(one.parent !== '' || isConfigured, `${one.name}: ${one.reads}`).toBe(true)
    }
  })

  it('has no sentence that ends twice, no number that counts twice, nothing left empty', () => {
    const text = page(`${name}.md`)
    expect(text).not.toMatch(/\.\.(?!\.)/)
    expect(text).not.toMatch(/^\d+\. .* \d\) /m)
    expect(text).not.toMatch(/undefined|\[object|Last updated/)
  })

  it('says the same as HTML, which needs nothing from elsewhere', async () => {
    const twin = page(`${name}.html`)
    const words = (text: string): string[] => text.match(/[\p{L}\p{N}_]+/gu) ?? []
    const shown = twin
      .replace(/<style>[^]*?<\/style>|<head>[^]*?<\/head>/g, '')
      .replace(/<[^>]+>/g, ' ')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&')
    const plain = page(`${name}.md`)
      .replace(/^```\w*$/gm, '')
      .replace(/^\d+\. /gm, '')
    expect(words(shown)).toEqual(words(plain))
    expect(twin).not.toMatch(/<script|src=|@import|url\(/)
  })
})

it('llms.txt leads to every page of the documentation', () => {
  const index = readFileSync(join(docs, 'llms.txt'), 'utf8')
  expect(index).toMatch(/^# Sluice\n\n> /)
  const links = [...index.matchAll(/\]\(([^)]+)\): \S/g)].map(([, address]) => address)
  const pages = readdirSync(docs, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.md'))
  expect(links.sort()).toEqual(pages.sort())
})

it('text of a source file is shown as text, in Markdown and HTML', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-page-'))
  const file = join(folder, 'shop.source.yaml')
  writeFileSync(
    file,
    `name: shop
client: { base_url: 'https://shop.test', auth: { type: bearer, token: { secret: token } } }
resources:
  - name: a|b
    endpoint: { path: '<script>alert(1)</script>', data_selector: 'x|y', paginator: single_page }
  - name: below
    primary_key: [a, b]
    endpoint: { path: 'items/{resources.a|b.id}', params: { since: 1 }, incremental: { cursor_path: at } }
`,
  )
  const blocks = sourcePage(await sourceFacts(file))
  const text = html(blocks)
  expect(text).not.toContain('<script>')
  expect(text).toContain('&lt;script&gt;')
  const rows = markdown(blocks)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  expect(rows[0]).toContain('`a\\|b`')
  expect(rows[1]).toMatch(/`below` .*`a, b` .*`at`/)
  expect(markdown(blocks)).toContain('npx sluice secrets set sources.shop.token')
})
