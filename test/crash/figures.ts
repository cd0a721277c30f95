import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Outcome } from './kill.ts'
import { destinationNames, type DestinationName } from './trial.ts'
import { scenarioNames } from './world.ts'

const titles: Record<DestinationName, string> = { duckdb: 'DuckDB', postgres: 'PostgreSQL', filesystem: 'Files' }
const page = join(import.meta.dirname, '../../docs/reliability.md')

/** Kills by kind of load and destination, and what came of them, as a Markdown table. */
export function table(outcomes: readonly Outcome[]): string {
  const destinations = destinationNames.filter((name) => outcomes.some((one) => one.destination === name))
  const columns = [...destinations, undefined]
  const line = (title: string, chosen: readonly Outcome[], count: (outcome: Outcome) => number): string => {
    const cells = columns.map((column) => {
      const own = chosen.filter(({ destination }) => column === undefined || destination === column)
      return own.reduce((sum, one) => sum + count(one), 0).toLocaleString('en')
    })
    return `| ${[title, ...cells].join(' | ')} |`
  }
  const isWrong = ({ lost, doubled, others }: Outcome): number => (lost + doubled + others.length > 0 ? 1 : 0)
  const kinds = scenarioNames.filter((name) => outcomes.some((one) => one.scenario === name))
  return [
    `| | ${columns.map((column) => (column === undefined ? 'All' : titles[column])).join(' | ')} |`,
    `| --- | ${columns.map(() => '---:').join(' | ')} |`,
    ...kinds.map((kind) =>
      line(
        `kills in \`${kind}\``,
        outcomes.filter(({ scenario }) => scenario === kind),
        ({ kills }) => kills,
      ),
    ),
    line('**kills**', outcomes, ({ kills }) => kills),
    line('**rows lost**', outcomes, ({ lost }) => lost),
    line('**rows doubled**', outcomes, ({ doubled }) => doubled),
    line('**loads not right in the end**', outcomes, isWrong),
  ].join('\n')
}

/** Puts figures into their place in the docs, between `<!-- name -->` and `<!-- /name -->`. */
export function writeFigures(name: string, figures: string, about: string): void {
  const text = readFileSync(page, 'utf8')
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/reliability.md has no place for figures called ${name}`)
  const day = new Date().toISOString().slice(0, 10)
  const block = `${begin}\n\n${figures}\n\n${day}, ${about}.\n\n`
  writeFileSync(page, text.slice(0, from) + block + text.slice(to))
}
