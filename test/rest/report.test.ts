import { describe, expect, it } from 'vitest'
import type { ReportSpec } from '../../src/sources/rest/index.ts'
import { api, json, type TestApi } from '../support/api.ts'
import { load } from '../support/rest.ts'

const report: ReportSpec = { pollPath: 'exports/{report.id}', pollEvery: 0.01, doneWhen: "body.status == 'done'" }

/** An export that is done at the third look. */
function exports(fileHost?: () => TestApi): Promise<TestApi> {
  let looks = 0
  return api((request, response, url, body) => {
    if (request.method === 'POST') return json(response, { id: 'r 1', asked: JSON.parse(body) as unknown })
    if (url.pathname === '/exports/r%201/file') {
      response.writeHead(200, { 'content-type': 'text/csv' })
      return void response.end('id\n1\n2\n')
    }
    looks += 1
    const link = fileHost === undefined ? '/exports/r%201/file' : `${fileHost().baseUrl}/file.csv`
    json(response, { status: looks < 3 ? 'running' : 'done', url: link, rows: [{ id: 9 }] })
  })
}

const endpoint = (more: Partial<ReportSpec>) => ({
  path: 'exports',
  method: 'POST' as const,
  json: { kind: 'orders' },

  report: { ...report, ...more },
})

describe('reports that an API makes in its own time', () => {
  it('created, asked for until done, and downloaded', async () => {
    const target = await exports()
    const { rows, events } = await load(target, [
      { name: 'orders', endpoint: endpoint({ downloadPath: 'exports/{report.id}/file' }) },
    ])
    expect(await rows('orders')).toEqual([{ id: '1' }, { id: '2' }])
    expect(target.requests).toEqual([
      'POST /exports',
      ...Array.from({ length: 3 }, () => 'GET /exports/r%201'),
      'GET /exports/r%201/file',
    ])
    expect(events.filter((event) => event.type === 'wait')).toMatchObject([{ reason: 'report' }, { reason: 'report' }])
  })

  it('by the address that the last answer holds; another host gets no credentials', async () => {
    const files = await api((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/csv' })
      response.end('id\n7\n')
    })
    const target = await exports(() => files)
    const { rows } = await load(target, [{ name: 'orders', endpoint: endpoint({ downloadUrlPath: 'url' }) }], {
      allowedHosts: [new URL(files.baseUrl).host],
      auth: { type: 'bearer', token: 'secret-1234' },
    })
    expect(await rows('orders')).toEqual([{ id: '7' }])
    expect(target.headers[0]!.authorization).toBe('Bearer secret-1234')
    expect(files.headers[0]!.authorization).toBeUndefined()
  })

  it('whose last answer holds the rows', async () => {
    const target = await exports()
    const { rows } = await load(target, [{ name: 'orders', endpoint: endpoint({}) }])
    expect(await rows('orders')).toEqual([{ id: 9 }])
  })

  it('that fails, and that is not done in time', async () => {
    const target = await exports()
    const failing = load(target, [{ name: 'o', endpoint: endpoint({ failedWhen: "body.status == 'running'" }) }])
    await expect(failing).rejects.toThrow(/the API says that it failed/)
    const slow = load(target, [{ name: 'o', endpoint: endpoint({ doneWhen: 'body.never', pollFor: 0.05 }) }])
    await expect(slow).rejects.toThrow(/not done after 0.05 s/)
  })
})
