/**
 * Lines and branches that the tests have taken, by module, from what `npm run test:all` has measured; written to
 * `coverage/modules.md`. `--branches src/extract` lists the branches of a module that no test took.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'coverage')
const { values } = parseArgs({ options: { branches: { type: 'string' } } })

interface Place {
  start: { line: number; column: number }
}
/** A file in Istanbul's format: counts by number, and where each number is. */
interface FileCoverage {
  path: string
  statementMap: Record<string, Place>
  s: Record<string, number>
  branchMap: Record<string, { type: string; locations: Place[] }>
  b: Record<string, number[]>
}

const files = Object.values(
  JSON.parse(readFileSync(join(folder, 'coverage-final.json'), 'utf8')) as Record<string, FileCoverage>,
)

/** A folder of `src`; of those that hold others, the folder below. */
function moduleOf(path: string): string {
  const parts = relative(join(root, 'src'), path).split('/')
  const depth = parts[0] === 'destinations' || parts[0] === 'sources' ? 2 : 1
  return parts.slice(0, Math.min(depth, parts.length - 1)).join('/') || '(top)'
}

/** Taken and all of them. */
type Count = [taken: number, all: number]
const modules = new Map<string, { lines: Count; branches: Count }>()
for (const file of files) {
  const name = moduleOf(file.path)
  const { lines, branches } = modules.get(name) ?? { lines: [0, 0], branches: [0, 0] }
  const byLine = new Map<number, boolean>()
  for (const [id, { start }] of Object.entries(file.statementMap)) {
    byLine.set(start.line, byLine.get(start.line) === true || file.s[id]! > 0)
  }
  add(lines, [...byLine.values()])
  for (const counts of Object.values(file.b)) {
    add(
      branches,
      counts.map((count) => count > 0),
    )
  }
  modules.set(name, { lines, branches })
}

function add(count: Count, taken: readonly boolean[]): void {
  count[0] += taken.filter(Boolean).length
  count[1] += taken.length
}

const share = ([taken, all]: Count): string => (all === 0 ? '' : `${((100 * taken) / all).toFixed(1)} %`)
const rows = [...modules].sort(([a], [b]) => (a < b ? -1 : 1))
const table = [
  '| module | lines | | branches | |',
  '| --- | ---: | ---: | ---: | ---: |',
  ...rows.map(
    ([name, { lines, branches }]) =>
      `| ${name} | ${share(lines)} | of ${lines[1]} | ${share(branches)} | of ${branches[1]} |`,
  ),
].join('\n')

if (values.branches === undefined) {
  writeFileSync(join(folder, 'modules.md'), `${table}\n`)
  console.log(table)
} else {
  for (const file of files) {
    const path = relative(root, file.path)
    if (!path.startsWith(values.branches)) continue
    const source = readFileSync(file.path, 'utf8').split('\n')
    for (const [id, { type, locations }] of Object.entries(file.branchMap)) {
      for (const [at, count] of file.b[id]!.entries()) {
        const line = locations[at]?.start.line
        if (count === 0 && line !== undefined) console.log(`${path}:${line} ${type}  ${source[line - 1]!.trim()}`)
      }
    }
  }
}
