import { postgresPoolConfig } from '../destinations/postgres/postgres.ts'
import type { SharedBudget } from '../sources/rest/index.ts'
import { ownSchema } from './own-tables.ts'

/** More moments than these are not kept for one budget: a larger one is kept by a part of its window. */
const keptMoments = 200
/** A window is kept longer by so much of it, and by so many seconds: requests are on their way before the server counts them. */
const longerBy = { share: 0.1, seconds: 0.2 }

/**
 * Rate budgets that all workers keep together, by the clock of the queue's database. A request takes the next free moment, and
 * is sent then: in no window of time there are more of them than the limit says, whoever sends them.
 */
export async function postgresBudgets(url: string): Promise<(origin: string) => SharedBudget> {
  const { Pool } = (await import('pg')).default
  // As few as possible: every executor of every worker has them.
  const pool = new Pool({ ...(await postgresPoolConfig({ url })), max: 2, application_name: 'sluice rate budget' })
  pool.on('error', () => undefined)
  return (origin) => ({
    async take({ requests, perSeconds }) {
      const share = Math.ceil(requests / keptMoments)
      const count = Math.floor(requests / share)
      const { rows } = await pool.query<{ wait: number }>(takeMoment, [
        origin,
        count,
        ((perSeconds * count) / requests) * (1 + longerBy.share) + longerBy.seconds,
      ])
      return Math.max(0, rows[0]!.wait * 1000)
    },
    pause(ms) {
      // The process that met it waits in any case.
      pool.query(pauseAll, [origin, ms / 1000]).catch(() => undefined)
    },
  })
}

/** $1 of which server, $2 requests in $3 seconds. Who asks at the same time waits for the row, and then sees the new moments. */
const takeMoment = `
INSERT INTO ${ownSchema}.rate_budget AS b (name, sent) VALUES ($1, ARRAY[extract(epoch FROM clock_timestamp())::float8])
ON CONFLICT (name) DO UPDATE SET sent =
  b.sent[greatest(1, cardinality(b.sent) - $2::int + 2):] || greatest(
    extract(epoch FROM clock_timestamp())::float8,
    b.paused_until,
    b.sent[cardinality(b.sent)],
    CASE WHEN cardinality(b.sent) >= $2::int THEN b.sent[cardinality(b.sent) - $2::int + 1] + $3::float8 ELSE 0 END
  )
RETURNING sent[cardinality(sent)] - extract(epoch FROM clock_timestamp())::float8 AS wait`

const pauseAll = `
INSERT INTO ${ownSchema}.rate_budget AS b (name, sent, paused_until)
VALUES ($1, '{}', extract(epoch FROM clock_timestamp())::float8 + $2::float8)
ON CONFLICT (name) DO UPDATE SET paused_until = greatest(b.paused_until, excluded.paused_until)`
