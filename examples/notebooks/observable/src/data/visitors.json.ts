import { attach } from 'sluice'

const data = attach('demo_chaport', { readOnly: { timeoutMs: 30_000 } }).dataset()
const visitors = data.table('visitors').aggregate({ visitors: ['count'] }, 'location__country', 'location__city')
process.stdout.write(JSON.stringify(await visitors.orderBy('visitors', 'desc').toArray()))
