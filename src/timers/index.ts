export { Pauses, sleepFor, systemClock, timerMs, type Clock } from './timers.ts'
