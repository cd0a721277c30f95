import { afterAll, beforeAll, expect, it } from 'vitest'
import { stepsOf } from './steps.ts'
import { Trial, type DestinationName } from './trial.ts'
import { scenarioNames, World } from './world.ts'
import { running } from '../support/running.ts'

const right = { lost: 0, doubled: 0, others: [] }

/**
 * Kills each kind of load at each durable step that it passes. `npm run test:crash -- --steps` does so at the first pass, at
 * one in the middle and at the last; here it is one of them, another one for each kind of load. Returns the steps passed.
 */
export function endsExactlyRightAtAnyStep(destination: DestinationName): ReadonlySet<string> {
  const world = new World()
  beforeAll(() => world.start())
  afterAll(() => world[Symbol.asyncDispose]())
  const passed = new Set<string>()
  let used = 0
  it.each(scenarioNames)('ends exactly right when %s is killed at any step', { timeout: 300_000 }, async (scenario) => {
    const postgresUrl = await running('postgres')
    const trial = (): Trial =>
      new Trial(world, { name: `${process.pid}_${++used}`, scenario, destination, postgresUrl })
    await using whole = trial()
    const steps = await stepsOf(whole)
    expect(await whole.finish()).toEqual(right)
    let at = scenarioNames.indexOf(scenario)
    for (const [step, passes] of steps) {
      passed.add(step)
      const pass = 1 + (at++ % passes)
      await using one = trial()
      const where = `killed at ${step}, pass ${pass} of ${passes}`
      expect(await one.run({ step, pass }), where).toMatchObject({ killed: true })
      expect(await one.finish(), where).toEqual(right)
    }
  })
  return passed
}
