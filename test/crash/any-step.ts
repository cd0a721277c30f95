import { afterAll, beforeAll, expect, it } from 'vitest'
import { someOf } from '../support/effort.ts'
import { running } from '../support/running.ts'
import { stepsOf } from './steps.ts'
import { destinationNames, Trial, type DestinationName } from './trial.ts'
import { scenarioNames, World, type ScenarioName } from './world.ts'

const right = { lost: 0, doubled: 0, others: [] }

/**
 * Kills loads of these kinds at `kills` of the durable steps that each passes, drawn anew in each run; in a whole run at every
 * step. `npm run test:crash -- --steps` kills at the first pass of a step, at one in the middle and at the last; here it is one
 * of them, a different one for each kind of load. Returns the steps that were passed.
 */
export function endsExactlyRightAtSteps(
  destination: DestinationName,
  scenarios: readonly ScenarioName[],
  kills: number,
): ReadonlySet<string> {
  const world = new World()
  beforeAll(() => world.start())
  afterAll(() => world[Symbol.asyncDispose]())
  const passed = new Set<string>()
  let used = 0
  it.for(scenarios)(
    'ends exactly right when %s is killed at any step',
    { timeout: 300_000 },
    async (scenario, { signal }) => {
      const postgresUrl = await running('postgres')
      const trial = (): Trial => {
        signal.throwIfAborted()
        return new Trial(world, { name: `${process.pid}_${++used}`, scenario, destination, postgresUrl })
      }
      await using whole = trial()
      const steps = await stepsOf(whole)
      for (const step of steps.keys()) passed.add(step)
      expect(await whole.finish()).toEqual(right)
      const salt = destinationNames.indexOf(destination) * 100 + scenarioNames.indexOf(scenario)
      let at = salt
      for (const [step, passes] of someOf([...steps], kills, salt)) {
        const pass = 1 + (at++ % passes)
        await using one = trial()
        const where = `killed at ${step}, pass ${pass} of ${passes}`
        expect(await one.run({ step, pass }), where).toMatchObject({ killed: true })
        expect(await one.finish(), where).toEqual(right)
      }
    },
  )
  return passed
}
