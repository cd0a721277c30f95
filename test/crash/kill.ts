import { Trial, type DestinationName, type Kill, type Tool } from './trial.ts'
import type { ScenarioName, World } from './world.ts'

/** Where loads are killed. */
export interface Place {
  world: World
  postgresUrl: string
  tool: Tool
  nextName(): string
}

export interface Outcome {
  scenario: ScenarioName
  destination: DestinationName
  kills: number
  where: string
  lost: number
  doubled: number
  others: string[]
}

export const trialAt = ({ nextName, ...place }: Place, scenario: ScenarioName, destination: DestinationName): Trial =>
  new Trial(place.world, { ...place, name: nextName(), scenario, destination })

export async function killAt(
  place: Place,
  scenario: ScenarioName,
  destination: DestinationName,
  kill: Kill,
): Promise<Outcome> {
  await using trial = trialAt(place, scenario, destination)
  const { killed } = await trial.run(kill)
  const where = 'step' in kill ? `killed at ${kill.step}, pass ${kill.pass}` : `killed after ${kill.afterMs} ms`
  return { scenario, destination, kills: killed ? 1 : 0, where, ...(await trial.finish()) }
}

/** Kills a load one to three times, its repairs among them, at any moment. `durations` learns how long each kind takes. */
export async function killAtRandom(
  place: Place,
  scenario: ScenarioName,
  destination: DestinationName,
  { random, durations }: { random: () => number; durations: Map<string, number> },
): Promise<Outcome> {
  const kind = `${destination} ${scenario}`
  if (!durations.has(kind)) {
    await using timed = trialAt(place, scenario, destination)
    durations.set(kind, (await timed.run()).ms)
    // Otherwise what the kills do could not be told from what they do not.
    const { lost, doubled, others } = await timed.finish()
    if (lost + doubled + others.length > 0) {
      throw new Error(`${kind} is not right without kills: ${lost} lost, ${doubled} doubled ${others.join('; ')}`)
    }
  }
  await using trial = trialAt(place, scenario, destination)
  const moments: string[] = []
  let kills = 0
  for (let left = 1 + Math.floor(3 * random()); left > 0; left--) {
    const afterMs = Math.round(durations.get(kind)! * random())
    const { killed, ms } = await trial.run({ afterMs })
    moments.push(`${afterMs} ms`)
    if (killed) kills += 1
    // What else ran on the machine when it was measured has ended.
    else if (moments.length === 1) durations.set(kind, ms)
    if (!killed) break
  }
  return { scenario, destination, kills, where: `killed after ${moments.join(', ')}`, ...(await trial.finish()) }
}
