/** A page as its parts, so that Markdown and HTML say the same. Text may hold `code` between backticks. */
export type Block =
  | { kind: 'heading'; level: 1 | 2 | 3; text: string }
  | { kind: 'paragraph'; text: string }
  | { kind: 'list'; items: readonly string[]; ordered?: boolean }
  | { kind: 'code'; language: string; text: string }
  | { kind: 'table'; columns: readonly string[]; rows: readonly (readonly string[])[] }

export const heading = (level: 1 | 2 | 3, text: string): Block => ({ kind: 'heading', level, text })
export const paragraph = (text: string): Block => ({ kind: 'paragraph', text })
export const code = (language: string, text: string): Block => ({ kind: 'code', language, text: text.trim() })

export const markdown = (blocks: readonly Block[]): string => `${blocks.map(markdownBlock).join('\n\n')}\n`

function markdownBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${block.text}`
    case 'paragraph':
      return block.text
    case 'list':
      return block.items.map((item, at) => `${block.ordered === true ? `${at + 1}.` : '-'} ${item}`).join('\n')
    case 'code':
      return `\`\`\`${block.language}\n${block.text}\n\`\`\``
    case 'table':
      return [block.columns, block.columns.map(() => '---'), ...block.rows.map((row) => row.map(oneCell))]
        .map((row) => `| ${row.join(' | ')} |`)
        .join('\n')
  }
}

/** What would end a cell or a row of a table. */
const oneCell = (text: string): string => text.replaceAll('|', '\\|').replace(/(?<!\s)\s*\n\s*/g, ' ')

/** A whole page that needs nothing else: no script, no font, no address of another host. */
export function html(blocks: readonly Block[]): string {
  const title = blocks.find((block) => block.kind === 'heading')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title?.text ?? 'Sluice')}</title>
<style>${styles}</style>
</head>
<body>
<main>
${blocks.map(htmlBlock).join('\n')}
</main>
</body>
</html>
`
}

function htmlBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `<h${block.level} id="${anchor(block.text)}">${inline(block.text)}</h${block.level}>`
    case 'paragraph':
      return `<p>${inline(block.text)}</p>`
    case 'list': {
      const tag = block.ordered === true ? 'ol' : 'ul'
      return `<${tag}>\n${block.items.map((item) => `<li>${inline(item)}</li>`).join('\n')}\n</${tag}>`
    }
    case 'code':
      return `<pre><code class="language-${escaped(block.language)}">${escaped(block.text)}</code></pre>`
    case 'table':
      return [
        '<div class="table"><table>',
        `<thead><tr>${block.columns.map((name) => `<th scope="col">${inline(name)}</th>`).join('')}</tr></thead>`,
        '<tbody>',
        ...block.rows.map((row) => `<tr>${row.map((cell) => `<td>${inline(cell)}</td>`).join('')}</tr>`),
        '</tbody></table></div>',
      ].join('\n')
  }
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Code, and links whose address is a page or an https one. */
const inline = (text: string): string =>
  escaped(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replace(/\[([^[\]]+)\]\(((?:https:\/\/|[\w./-]+\.md)[^\s)[]*)\)/g, (_, label: string, address: string) => {
      const page = address.startsWith('https:') ? address : address.replace(/\.md$/, '.html')
      return `<a href="${page}">${label}</a>`
    })

const anchor = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '')

const styles = `
:root{color-scheme:light dark;--ink:#1c1e21;--faint:#5f666d;--line:#dfe3e6;--ground:#fff;--code:#f4f6f7;--accent:#0b6b7a}
@media(prefers-color-scheme:dark){:root{--ink:#e6e8ea;--faint:#9aa2a9;--line:#33383d;--ground:#16181a;--code:#202427;--accent:#6cc4d2}}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.6 system-ui,sans-serif}
main{max-width:60rem;margin:0 auto;padding:32px 16px 96px}
h1{font-size:2rem;margin:0 0 8px}h2{font-size:1.35rem;margin:48px 0 12px;padding-top:16px;border-top:1px solid var(--line)}
h3{font-size:1.05rem;margin:28px 0 8px}p,li{max-width:44rem}a{color:var(--accent)}
code{font:0.88em/1.5 ui-monospace,monospace;background:var(--code);padding:1px 4px;border-radius:3px}
pre{background:var(--code);padding:12px 16px;border-radius:6px;overflow-x:auto}pre code{padding:0;background:none}
.table{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:6px 16px 6px 0;border-bottom:1px solid var(--line)}th{color:var(--faint);font-weight:600}
`.trim()
