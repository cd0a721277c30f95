/** Plants faults in a copy of the code, one at a time, and sees whether the tests fail: `npm run test:faults`. */
import { globSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { count, wrap } from '../../src/cli/style.ts'
import { writeFigures } from '../crash/figures.ts'
import { randomFrom, seed } from '../support/seed.ts'
import { Checkout } from './checkout.ts'
import { root, type Fault } from './fault.ts'
import { chosenFaults, redTests, table, tryFault, type Outcome, type Tier } from './outcome.ts'
import { runVitest } from './vitest-run.ts'

const usage = `
npm run test:faults -- [options]

  --only <id,id>      these faults
  --tier <quick|all>  quick: only with the tests of npm test      [all]
  --sample <n>        so many, drawn by SLUICE_TEST_SEED
  --survey <id>       one fault against all tests of npm test
  --json              outcomes as JSON
  --write             the table into docs/reliability.md
`

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    tier: { type: 'string', default: 'all' },
    sample: { type: 'string' },
    survey: { type: 'string' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const surveyMs = 2 * 3_600_000

function wrongUse(message: string): never {
  console.error(`${message}\n${usage}`)
  process.exit(2)
}

function chosen(): Fault[] {
  const { only, sample } = values
  if (sample !== undefined && !/^[1-9]\d*$/.test(sample)) wrongUse(`--sample must be a whole number, got "${sample}"`)
  if (values.write && (only !== undefined || sample !== undefined || tierOf(values.tier) !== 'all'))
    wrongUse('--write needs a run of all faults')
  return chosenFaults({
    only: only?.split(','),
    sample: sample === undefined ? undefined : Number(sample),
    random: randomFrom(),
  })
}

function tierOf(given: string): Tier {
  if (given === 'quick' || given === 'all') return given
  return wrongUse(`--tier must be quick or all, got "${given}"`)
}

/** Lines for a person; none with `--json`. */
const tell = (line: string): void => {
  if (!values.json) console.log(line)
}
/** A line that the next one replaces, on a terminal only. */
const tellMeanwhile = (line: string): void => {
  if (!values.json && process.stdout.isTTY) process.stdout.write(`\r\u001b[K${line.slice(0, 79)}\r`)
}

function tellOutcome({ fault, tier, result, detail, ms }: Outcome): void {
  const { id, why, file, caughtBy, test } = fault
  tell(
    `${result.padEnd(7)} ${id.padEnd(46)} ${(ms / 1000).toFixed(1).padStart(6)} s  ${result === 'caught' ? tier : ''}`.trimEnd(),
  )
  if (result === 'caught') return
  const lines = [why, `in ${file}`, `${caughtBy}: ${test}`, ...(result === 'MISSED' ? [] : [detail])]
  for (const text of lines.flatMap((one) => one.split('\n'))) for (const line of wrap(text, 72)) tell(`        ${line}`)
}

async function tryAll(chosen: readonly Fault[], upTo: Tier, signal: AbortSignal): Promise<Outcome[]> {
  using checkout = new Checkout()
  // A list that no longer fits the code is told before anything runs.
  for (const fault of chosen) checkout.plant(fault)[Symbol.dispose]()
  tell(`${count(chosen.length)} faults, seed ${seed}. First their tests, without faults:`)
  const red = await redTests(checkout, chosen, signal)
  tell(red.size === 0 ? 'all pass' : `${count(red.size)} fail, so they catch nothing`)
  const outcomes: Outcome[] = []
  for (const fault of chosen) {
    tellMeanwhile(`        ${fault.id}`)
    const detail = red.get(fault.id)
    const outcome: Outcome =
      detail === undefined
        ? await tryFault(checkout, fault, { upTo, signal })
        : { fault, tier: 'all', result: 'red', detail, ms: 0 }
    outcomes.push(outcome)
    tellOutcome(outcome)
  }
  return outcomes
}

/** Which tests of `npm test` fail because of one fault. */
async function survey(id: string, signal: AbortSignal): Promise<void> {
  const [fault] = chosenFaults({ only: [id], random: Math.random })
  const files = globSync('test/**/*.test.ts', { cwd: root })
  using checkout = new Checkout()
  using _planted = checkout.plant(fault!)
  tell(`${id}: ${fault!.why}\n${count(files.length)} test files, seed ${seed}`)
  const { failed, ms, succeeded, output } = await runVitest(checkout.folder, {
    files,
    quickOnly: true,
    limitMs: surveyMs,
    signal,
  })
  if (values.json) console.log(JSON.stringify({ id, failed }, null, 2))
  for (const { file, title } of failed) tell(`  ${file}: ${title}`)
  if (failed.length === 0) tell(succeeded ? 'no test fails' : output)
  tell(`${count(failed.length)} tests fail, after ${(ms / 1000).toFixed(0)} s`)
}

async function main(signal: AbortSignal): Promise<void> {
  if (values.help) return console.log(usage)
  if (values.survey !== undefined) return survey(values.survey, signal)
  const outcomes = await tryAll(chosen(), tierOf(values.tier), signal)
  if (values.json) console.log(JSON.stringify(outcomes, null, 2))
  const caught = outcomes.filter(({ result }) => result === 'caught')
  const quick = caught.filter(({ tier }) => tier === 'quick')
  const percent = (part: number): string => `${Math.floor((100 * part) / Math.max(1, outcomes.length))} %`
  if (values.write) {
    const machine = `${cpus().length} × ${cpus()[0]?.model.split(' ').slice(0, 2).join(' ')}`
    writeFigures('faults', table(outcomes), `seed ${seed}, ${machine}, Node ${process.versions.node}`)
  }
  tell(`\nnpm test catches ${percent(quick.length)}, with the rest ${percent(caught.length)}`)
  tell(`${caught.length} passed, ${outcomes.length - caught.length} failed`)
  if (caught.length < outcomes.length) process.exitCode = 1
}

const abort = new AbortController()
process.once('SIGINT', () => abort.abort())
await main(abort.signal).catch((error: unknown) => {
  console.error(abort.signal.aborted ? 'interrupted' : error instanceof Error ? error.message : error)
  process.exitCode = abort.signal.aborted ? 130 : 1
})
