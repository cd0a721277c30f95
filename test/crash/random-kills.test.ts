import { afterAll, beforeAll, expect, it } from 'vitest'
import { destinationNames as chosen } from '../support/destinations.ts'
import { effort } from '../support/effort.ts'
import { killAtRandom } from './kill.ts'
import { randomFrom, seed } from '../support/seed.ts'
import { destinationNames, sluice } from './trial.ts'
import { scenarioNames, World } from './world.ts'
import { running } from '../support/running.ts'

// `npm run test:crash -- --kills 1000` does the same for longer.
const kills = effort(9, 200)

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

it(
  `loses nothing and doubles nothing when it is killed ${kills} times at random`,
  { timeout: 600_000 },
  async ({ signal }) => {
    place.postgresUrl = await running('postgres')
    const [random, durations] = [randomFrom(), new Map<string, number>()]
    const destinations = destinationNames.filter((name) => chosen.includes(name))
    let killed = 0
    const start = Math.floor(random() * scenarioNames.length)
    for (let at = 0; killed < kills; at++) {
      signal.throwIfAborted()
      expect(at, 'too many runs end before they are killed').toBeLessThan(4 * kills)
      const destination = destinations[at % destinations.length]!
      const scenario = scenarioNames[(start + Math.floor(at / destinations.length)) % scenarioNames.length]!
      const outcome = await killAtRandom(place, scenario, destination, { random, durations })
      killed += outcome.kills
      expect(outcome, `seed ${seed}: ${destination} ${scenario}, ${outcome.where}`).toMatchObject(right)
    }
  },
)
