/** Writes the table of bad inputs into docs/reliability.md from what their tests are called: `npm run docs:reliability`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { inputs } from '../test/hostile/input-list.ts'

const page = new URL('../docs/reliability.md', import.meta.url)
const rows = Object.entries(inputs).map(([number, [input, result]]) => `| ${number} | ${input} | ${result} |`)
const text = readFileSync(page, 'utf8')
const [begin, end] = ['<!-- inputs -->', '<!-- /inputs -->']
const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)]
const head = ['| | what comes in | what comes of it |', '| ---: | --- | --- |']
writeFileSync(page, `${text.slice(0, from)}\n\n${[...head, ...rows].join('\n')}\n\n${text.slice(to)}`)
