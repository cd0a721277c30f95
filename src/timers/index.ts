export { sleepFor, timerMs } from './timers.ts'
