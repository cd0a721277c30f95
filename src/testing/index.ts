export {
  serve,
  simulation,
  type RunningSimulator,
  type ServerOptions,
  type Simulation,
  type SimulationOptions,
} from '../sources/simulators/index.ts'
export { conformanceCases, type ConformanceCase, type ConformanceTarget } from './conformance.ts'
