/** Runs when the page is built: what the browser gets is its output. */
import { attach } from 'sluice'

const data = attach('demo_chaport', { readOnly: { timeoutMs: 30_000 } }).dataset()
const events = await data
  .query(
    `select extract(hour from timestamp) as hour, type, count(*) as events
     from chaport_data.chat_events group by 1, 2 order by 1, 2`,
  )
  .toArray()
process.stdout.write(JSON.stringify(events))
