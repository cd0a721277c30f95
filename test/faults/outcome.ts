import type { Checkout } from './checkout.ts'
import { faults, moduleOf, type Fault } from './fault.ts'
import { runVitest, type TestName, type TestRun } from './vitest-run.ts'

/** `red`: the test fails without the fault too, so it catches nothing. `broken`: the code does not load with the fault. */
export type Result = 'caught' | 'MISSED' | 'red' | 'broken'

/** `quick`: what `npm test` runs; `all`: also what it leaves out. */
export type Tier = 'quick' | 'all'

export interface Outcome {
  fault: Fault
  /** The tier that was needed. */
  tier: Tier
  result: Result
  /** The tests that failed, or why there are none. */
  detail: string
  ms: number
}

/** A fault may make a test wait for what never comes. */
const limitMs = 5 * 60_000

/** Runs the tests without any fault; gives what is wrong with them, by the id of the fault. */
export async function redTests(
  { folder }: Checkout,
  chosen: readonly Fault[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const files = [...new Set(chosen.map(({ caughtBy }) => caughtBy))]
  const titles = [...new Set(chosen.map(({ test }) => test))]
  const run = await runVitest(folder, { files, titles, limitMs: files.length * limitMs, signal })
  const red = new Map<string, string>()
  for (const { id, caughtBy, test } of chosen) {
    const isIts = ({ file, title }: TestName): boolean => file === caughtBy && title.includes(test)
    const failed = run.failed.filter(isIts)
    if (failed.length > 0) red.set(id, `fails without the fault: ${titlesOf(failed)}`)
    else if (!run.passed.some(isIts)) red.set(id, `no such test passes\n${run.output.slice(-600)}`)
  }
  return red
}

/** Plants one fault and runs the test that must fail: as `npm test` runs it, then whatever that leaves out. */
export async function tryFault(
  checkout: Checkout,
  fault: Fault,
  { upTo, signal }: { upTo: Tier; signal: AbortSignal },
): Promise<Outcome> {
  using _planted = checkout.plant(fault)
  const named = { files: [fault.caughtBy], titles: [fault.test], stopAtFirst: true, limitMs, signal }
  const quick = await runVitest(checkout.folder, { ...named, quickOnly: true })
  const first = outcomeOf(fault, 'quick', quick)
  if (upTo === 'quick' || first.result === 'caught') return first
  const whole = await runVitest(checkout.folder, named)
  return outcomeOf(fault, 'all', { ...whole, ms: quick.ms + whole.ms })
}

function outcomeOf(fault: Fault, tier: Tier, run: TestRun): Outcome {
  const { passed, failed, succeeded, hung, ms } = run
  const result = succeeded ? 'MISSED' : hung || passed.length + failed.length > 0 ? 'caught' : 'broken'
  return { fault, tier, result, detail: whatFailed(run), ms }
}

const titlesOf = (tests: readonly TestName[]): string => tests.map(({ title }) => title).join('; ')

const whatFailed = ({ hung, failed, output }: TestRun): string =>
  hung ? `ended after ${limitMs / 60_000} minutes` : titlesOf(failed) || output.trim().slice(-600)

/** Counts by module, as a Markdown table. */
export function table(outcomes: readonly Outcome[]): string {
  const line = (title: string, own: readonly Outcome[]): string => {
    const caught = own.filter(({ result }) => result === 'caught')
    const quick = caught.filter(({ tier }) => tier === 'quick').length
    const share = (count: number): string => `${Math.floor((100 * count) / own.length)} %`
    return `| ${[title, own.length, quick, caught.length - quick, share(quick), share(caught.length)].join(' | ')} |`
  }
  const modules = [...Map.groupBy(outcomes, ({ fault }) => moduleOf(fault.file))].sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    '| module | faults | caught by `npm test` | by the rest | `npm test` | both |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...modules.map(([name, own]) => line(`\`${name}\``, own)),
    line('**all**', outcomes),
  ].join('\n')
}

/** The faults to try: all, those of `only`, or a sample of them. */
export function chosenFaults({
  only,
  sample,
  random,
}: {
  only?: readonly string[] | undefined
  sample?: number | undefined
  random: () => number
}): Fault[] {
  const unknown = only?.find((id) => !faults.some((one) => one.id === id))
  if (unknown !== undefined) throw new Error(`there is no fault "${unknown}" in test/faults/faults.json`)
  const wanted = faults.filter(({ id }) => only?.includes(id) ?? true)
  if (sample === undefined) return wanted
  const drawn = wanted.map((fault) => ({ fault, at: random() })).sort((a, b) => a.at - b.at)
  return drawn.slice(0, sample).map(({ fault }) => fault)
}
