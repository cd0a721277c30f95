import { ChaportSimulation } from './chaport.ts'
import { ChatbotSimulation } from './chatbot.ts'
import { ChatlioSimulation } from './chatlio.ts'
import { ChatraSimulation } from './chatra.ts'
import { CliengoSimulation } from './cliengo.ts'
import type { Simulation, SimulationOptions } from './server.ts'

export {
  serve,
  type RunningSimulator,
  type ServerOptions,
  type SimulatedReply,
  type SimulatedRequest,
  type Simulation,
  type SimulationOptions,
} from './server.ts'

const simulations: Record<string, new (options: SimulationOptions) => Simulation> = {
  chatlio: ChatlioSimulation,
  chatbot: ChatbotSimulation,
  chaport: ChaportSimulation,
  chatra: ChatraSimulation,
  cliengo: CliengoSimulation,
}

/** A platform's API with made-up data; `undefined` for a name there is none for. */
export function simulation(platform: string, options: SimulationOptions): Simulation | undefined {
  const Chosen = Object.hasOwn(simulations, platform) ? simulations[platform] : undefined
  return Chosen === undefined ? undefined : new Chosen(options)
}
