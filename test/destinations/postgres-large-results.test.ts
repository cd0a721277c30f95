import { EventEmitter } from 'node:events'
import type pg from 'pg'
import { expect, it } from 'vitest'
import { postgres } from '../../src/destinations/postgres/postgres.ts'
import { catchUnreadableMessages } from '../../src/destinations/postgres/unreadable-message.ts'
import { running } from '../support/running.ts'

const opened = async (timeoutMs: number) =>
  postgres({ url: await running('postgres') }).open({ pipeline: 'reader', dataset: 'd', readOnly: { timeoutMs } })

it('a query has one deadline for all of its pages', async () => {
  await using session = await opened(1500)
  const slow = "SELECT repeat('x', 2000000) AS wide, pg_sleep(0.05) AS slept FROM generate_series(1, 400)"
  let rows = 0
  const reading = async (): Promise<void> => {
    for await (const page of (await session.reader.query(slow)).pages) rows += page.length
  }
  // PostgreSQL's code for a statement that was ended: by its limit, or by the limit's signal that came between two statements.
  await expect(reading()).rejects.toMatchObject({ code: '57014' })
  expect(rows).toBeLessThan(60)
})

it('pages have so many rows as fit, whatever their size', async () => {
  await using session = await opened(60_000)
  const sizes = async (bytes: number, rows: number): Promise<number[]> => {
    const { pages } = await session.reader.query(`SELECT repeat('x', ${bytes}) AS v FROM generate_series(1, ${rows})`)
    return (await Array.fromAsync(pages)).map((page) => page.length)
  }
  expect(await sizes(1_500_000, 15)).toEqual([10, 2, 2, 1])
  expect(await sizes(1, 10_000)).toEqual([10, 100, 1000, 5000, 3890])
})

it('a message that cannot be parsed fails its statement and nothing else', () => {
  const stream = Object.assign(new EventEmitter(), { destroyed: undefined as Error | undefined })
  const destroy = (error: Error): void => void (stream.destroyed = error)
  stream.on('data', () => Buffer.alloc(1).toString('no encoding' as 'utf8'))
  catchUnreadableMessages({ connection: { stream: Object.assign(stream, { destroy }) } } as unknown as pg.Client)
  stream.emit('data', Buffer.from('D'))
  expect(stream.destroyed).toMatchObject({ code: 'QUERY_FAILED', message: expect.stringContaining('cannot be read') })
})

it('a value that is longer than a string can be is an error by name', { tags: ['slow'] }, async () => {
  await using session = await postgres({ url: await running('postgres') }).open({ pipeline: 'reader', dataset: 'd' })
  const query = session.reader.query("SELECT repeat('x', 540000000) AS v")
  await expect(query).rejects.toMatchObject({ code: 'QUERY_TOO_LARGE' })
})
