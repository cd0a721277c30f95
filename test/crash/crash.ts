/**
 * Loads are killed and started again until so many kills were done; then rows, children, ledger, state and what is left
 * behind are looked at: `npm run test:crash -- --kills 1000`. With `--steps` each durable step of each load is one of the
 * kills; with `--tool dlt` the same is done to dlt. `--write` puts the figures into docs/reliability.md.
 */
import { mkdtempSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../support/postgres-server.ts'
import { dlt, dltScenarios, dltVersion } from './dlt.ts'
import { randomFrom } from '../support/seed.ts'
import { killAt, killAtRandom, trialAt, type Outcome } from './kill.ts'
import { table, writeFigures } from './figures.ts'
import { destinationNames, sluice, type DestinationName } from './trial.ts'
import { scenarioNames, World, type ScenarioName } from './world.ts'
import { stepsOf } from './steps.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    tool: { type: 'string', default: 'sluice' },
    destinations: { type: 'string' },
    scenarios: { type: 'string' },
    steps: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const kills = Number(values.kills)
const isDlt = values.tool === 'dlt'
const tool = isDlt ? dlt() : sluice
const destinations = (values.destinations?.split(',') ??
  (isDlt ? ['duckdb', 'postgres'] : destinationNames)) as DestinationName[]
const scenarios = (values.scenarios?.split(',') ?? (isDlt ? dltScenarios : scenarioNames)) as ScenarioName[]

process.env.SLUICE_DATA_DIR = mkdtempSync(join(tmpdir(), 'sluice-crash-reader-'))
const server = await startPostgres()
const world = new World()
await world.start()
const outcomes: Outcome[] = []
const startedAt = performance.now()
const [done, random] = [() => outcomes.reduce((sum, { kills: n }) => sum + n, 0), randomFrom(Number(values.seed))]

function tell(outcome: Outcome, of: number): void {
  outcomes.push(outcome)
  const { scenario, destination, where, lost, doubled, others } = outcome
  if (lost + doubled + others.length > 0) {
    console.error(`\r${destination} ${scenario}, ${where}: ${lost} rows lost, ${doubled} doubled ${others.join('; ')}`)
  }
  const wrong = outcomes.filter((one) => one.lost + one.doubled + one.others.length > 0).length
  const left = ((performance.now() - startedAt) / done()) * (of - done())
  const minutes = Math.max(1, Math.round(left / 60_000))
  if (process.stderr.isTTY)
    process.stderr.write(`\r${done()} of ${of} kills, ${wrong} loads not right, ${minutes} min left   `)
}

console.error(`seed ${values.seed}`)
let used = 0
const place = { world, tool, postgresUrl: server.url, nextName: () => `${process.pid}_${++used}` }
try {
  if (values.steps) {
    const plan: { scenario: ScenarioName; destination: DestinationName; step: string; pass: number }[] = []
    for (const destination of destinations) {
      for (const scenario of scenarios) {
        await using whole = trialAt(place, scenario, destination)
        for (const [step, passes] of await stepsOf(whole)) {
          const some = new Set([1, Math.ceil(passes / 2), passes])
          for (const pass of some) plan.push({ scenario, destination, step, pass })
        }
      }
    }
    for (const { scenario, destination, step, pass } of plan) {
      tell(await killAt(place, scenario, destination, { step, pass }), plan.length)
    }
  } else {
    const durations = new Map<string, number>()
    for (let at = 0; done() < kills; at++) {
      const destination = destinations[at % destinations.length]!
      const scenario = scenarios[Math.floor(at / destinations.length) % scenarios.length]!
      tell(await killAtRandom(place, scenario, destination, { random, durations }), kills)
    }
  }
} finally {
  await server.stop()
  await world[Symbol.asyncDispose]()
}
if (process.stderr.isTTY) process.stderr.write('\r'.padEnd(70) + '\r')
const figures = table(outcomes)
console.log(figures)
if (values.write) {
  const which = isDlt ? `dlt ${dltVersion()}, ` : ''
  const about = `${which}seed ${values.seed}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}`
  writeFigures(`${values.tool}${values.steps ? '-steps' : ''}`, figures, about)
}
const isRight = outcomes.every(({ lost, doubled, others }) => lost + doubled + others.length === 0)
// The server's library ends the process by a hook of its own, with 0.
process.exit(isRight ? 0 : 1)
