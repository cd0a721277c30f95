export {
  serve,
  simulation,
  type RunningSimulator,
  type ServerOptions,
  type Simulation,
  type SimulationOptions,
} from '../sources/simulators/index.ts'
export {
  casesWithGaps,
  conformanceCases,
  type ConformanceCase,
  type ConformanceTarget,
  type ConformanceTitle,
  type KnownGap,
  type KnownGaps,
} from './conformance.ts'
