/** Writes the pages of the platforms from what their code declares: `npm run docs`. With `--check` only compares. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { PlatformDocs } from '../src/sources/chats/platform.ts'
import { platformByName, platformNames } from '../src/sources/chats/registry.ts'

function page({ name, title, resources, corrections, settings, actions }: PlatformDocs): string {
  const first = settings.find((setting) => setting.secret)!
  return `# ${title}

\`\`\`ts
import { pipeline } from 'sluice'
import { ${name} } from 'sluice/sources/${name}'

const chats = pipeline({ name: '${name}_pipeline', destination: 'duckdb', dataset: '${name}_data' })
console.log(String(await chats.run(${name}())))
\`\`\`

Try it without an account: \`npx sluice source simulate ${name}\`.

## Settings

In \`.sluice/secrets.toml\` or \`.dlt/secrets.toml\`:

\`\`\`toml
[sources.${name}_source]
${first.key} = "…"
\`\`\`

| setting | kind | |
| --- | --- | --- |
${settings.map((one) => `| \`${one.key}\` | ${one.secret ? 'secret' : 'setting'} | ${one.note} |`).join('\n')}

## Resources

| resource | reads | |
| --- | --- | --- |
${resources.map((one) => `| \`${one.name}\` | ${one.reads} | ${one.note} |`).join('\n')}
${
  actions.length === 0
    ? ''
    : `
## Actions

Writes. They are called on purpose and are never part of a load.

${actions.map((one) => `- \`${name}.actions.${one.name}({ … })\`: ${one.note}`).join('\n')}
`
}
## Where the API differs from its source page

${corrections.map((one) => `- ${one}`).join('\n')}
`
}

const check = process.argv.includes('--check')
let stale = 0
for (const name of platformNames) {
  const path = new URL(`../docs/sources/${name}.md`, import.meta.url)
  const text = page((await platformByName(name))!.docs)
  if (!check) writeFileSync(path, text)
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`docs/sources/${name}.md is not what its source declares: npm run docs`)
    stale += 1
  }
}
process.exitCode = stale === 0 ? 0 : 1
