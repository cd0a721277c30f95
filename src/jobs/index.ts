export {
  after,
  at,
  cron,
  every,
  received,
  type AfterTrigger,
  type ReceivedTrigger,
  type Outcome,
  type TimeTrigger,
  type Trigger,
} from './trigger.ts'
export { job, type Interval, type Job, type JobContext, type JobFunction, type JobOptions } from './job.ts'
export { eachResource, timeWindows, valueRanges, type Partition, type Partitions } from './partition.ts'
export { alerts, type AlertOptions } from './alerts/alerts.ts'
export { email, slack, webhook, type Channel, type Message } from './alerts/channels.ts'
export { type Alert, type AlertKind } from './alerts/conditions.ts'
