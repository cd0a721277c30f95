export { sleepFor, systemClock, timerMs, type Clock } from './timers.ts'
