export {
  serve,
  simulation,
  type RunningSimulator,
  type ServerOptions,
  type Simulation,
  type SimulationOptions,
} from '../sources/simulators/index.ts'
export type { ConformanceCase, ConformanceTarget } from './conformance/bench.ts'
export { conformanceCases, type ConformanceTitle } from './conformance/cases.ts'
export { casesWithGaps, type KnownGap, type KnownGaps } from './conformance/gaps.ts'
