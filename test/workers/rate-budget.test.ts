import { expect, it, onTestFinished } from 'vitest'
import { postgresBudgets } from '../../src/workers/rate-budget.ts'
import { WorkQueue } from '../../src/workers/work-queue.ts'
import { api, json } from '../support/api.ts'
import { freshDatabase, WorkerProject } from './worker-processes.ts'
import { running } from '../support/running.ts'

it('workers keep the rate limit of a source together', { tags: ['slow'] }, async () => {
  const seen: number[] = []
  const server = await api((request, response) => {
    seen.push(performance.now())
    json(response, { page: request.url, rows: [{ id: request.url }] })
  })
  // 30 items, each with two requests, done by six processes of two workers: 20 requests in three seconds.
  const project = new WorkerProject(
    await freshDatabase(await running('postgres')),
    `import { restSource } from ${JSON.stringify(new URL('../../src/sources/rest/index.ts', import.meta.url).pathname)}
export const pages = job({
  partitions: Array.from({ length: 30 }, (_, at) => ({ name: 'page-' + at })),
  run: ({ partition, signal }) =>
    pipeline({ name: 'budget', dataset: 'budget', destination }).run(
      restSource({
        name: 'pages',
        client: { baseUrl: ${JSON.stringify(server.baseUrl)}, rateLimit: { requests: 20, perSeconds: 3 } },
        resources: ['a', 'b'].map((name) => ({ name, endpoint: { path: partition!.name + '/' + name, dataSelector: 'rows' } })),
      }),
      { partition: partition!, signal },
    ),
})`,
  )
  onTestFinished(() => project.end())
  expect(await project.run('worker', 'add', 'pages')).toMatchObject({ code: 0 })
  const workers = [1, 2].map(() => project.run('worker', '--until-done', '--parallel', '3'))
  for (const { code, said } of await Promise.all(workers)) expect(code, said).toBe(0)
  expect(seen).toHaveLength(60)
  const sorted = seen.toSorted((a, b) => a - b)
  // Half a second is for requests that were sent and came late.
  const most = Math.max(...sorted.map((from, at) => sorted.slice(at).filter((one) => one < from + 2500).length))
  expect(most).toBeLessThanOrEqual(20)
  // It was used up: in some window nearly all of it.
  expect(most).toBeGreaterThanOrEqual(15)
})

it('a large budget is kept by parts of its window, and a pause holds for all', async () => {
  const url = await freshDatabase(await running('postgres'))
  const queue = await WorkQueue.open(url)
  onTestFinished(() => queue.close())
  const budget = (await postgresBudgets(url))('https://large.example')
  const waits = await Promise.all(
    Array.from({ length: 150 }, () => budget.take({ requests: 10_000, perSeconds: 1000 })),
  )
  expect(Math.max(...waits)).toBeLessThan(1000)
  const more = await Promise.all(Array.from({ length: 100 }, () => budget.take({ requests: 10_000, perSeconds: 1000 })))
  // 200 in 20 seconds are 10,000 in 1,000; the 201st waits for the first to be over.
  expect(more.filter((ms) => ms > 15_000)).toHaveLength(50)
  const other = (await postgresBudgets(url))('https://paused.example')
  other.pause(5000)
  await expect.poll(() => other.take({ requests: 5, perSeconds: 1 })).toBeGreaterThan(3000)
})
