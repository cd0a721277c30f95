import { afterAll, beforeAll, expect, it } from 'vitest'
import { destinationNames as chosen } from '../support/destinations.ts'
import { effort } from '../support/effort.ts'
import { killAtRandom } from './kill.ts'
import { randomFrom, seed } from '../support/seed.ts'
import { destinationNames, sluice } from './trial.ts'
import { scenarioNames, World } from './world.ts'
import { running } from '../support/running.ts'

const world = new World()
beforeAll(() => world.start())
afterAll(() => world[Symbol.asyncDispose]())
let used = 0
const place = {
  world,
  tool: sluice,
  postgresUrl: '',
  nextName: () => `random_${process.pid}_${++used}`,
}
const right = { lost: 0, doubled: 0, others: [] }

// `npm run test:crash -- --kills 1000` does the same for longer.
it('loses nothing and doubles nothing when it is killed at random', ({ signal }) => killed(1, signal))

it(
  'loses nothing and doubles nothing when it is killed at random, again and again',
  { tags: ['slow'], timeout: 900_000 },
  ({ signal }) => killed(effort(8, 200), signal),
)

/** Kills loads of different kinds, one destination after the other from a drawn one on, until so many kills were done. */
async function killed(kills: number, signal: AbortSignal): Promise<void> {
  place.postgresUrl = await running('postgres')
  const [random, durations] = [randomFrom(seed + kills), new Map<string, number>()]
  const destinations = destinationNames.filter((name) => chosen.includes(name))
  const kinds = scenarioNames.flatMap((scenario) => destinations.map((destination) => ({ scenario, destination })))
  const start = Math.floor(random() * kinds.length)
  let done = 0
  for (let at = 0; done < kills; at++) {
    signal.throwIfAborted()
    expect(at, 'too many runs end before they are killed').toBeLessThan(8 * kills)
    const { scenario, destination } = kinds[(start + at) % kinds.length]!
    const outcome = await killAtRandom(place, scenario, destination, { random, durations })
    done += outcome.kills
    expect(outcome, `seed ${seed}: ${destination} ${scenario}, ${outcome.where}`).toMatchObject(right)
  }
}
