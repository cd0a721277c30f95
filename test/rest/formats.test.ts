import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EndpointSpec } from '../../src/sources/rest/index.ts'
import { api, freshPipeline } from '../support/api.ts'
import { load } from '../support/rest.ts'
import { zip } from '../support/zip.ts'

const send = (response: ServerResponse, body: string | Buffer, type: string, status = 200): void => {
  response.writeHead(status, { 'content-type': type })
  response.end(body)
}

/** What a resource loads from an answer. */
async function loaded(body: string | Buffer, type: string, endpoint: EndpointSpec = {}) {
  const target = await api((_request, response) => send(response, body, type))
  const { rows } = await load(target, [{ name: 'items', endpoint: { path: 'items', ...endpoint } }])
  return rows('items')
}

const csv = 'id,name,note\n1,Ada,"says ""hi"",\nand goes"\n2,Bob,\n'
const people = [
  { id: '1', name: 'Ada', note: 'says "hi",\nand goes' },
  { id: '2', name: 'Bob', note: null },
]
const lines = '{"id":1,"big":12345678901234567890}\n\n{"id":2,"big":1}\r\n'
const numbered = [
  { id: 1n, big: '12345678901234567890' },
  { id: 2n, big: '1' },
]
const plain = (rows: Record<string, unknown>[]) =>
  rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value === null ? null : String(value)])),
  )

describe('formats of answers', () => {
  it('CSV, by its content type', async () => {
    expect(await loaded(csv, 'text/csv; charset=utf-8')).toEqual(people)
  })

  it('an empty cell of CSV is null, a quoted one an empty text', async () => {
    expect(await loaded('id,note\n1,\n2,""\n', 'text/csv')).toEqual([
      { id: '1', note: null },
      { id: '2', note: '' },
    ])
  })

  it('CSV as it is declared: another delimiter, names of its own', async () => {
    const rows = await loaded('1;Ada\n2;Bob\n', 'text/plain', {
      format: 'csv',
      csv: { delimiter: ';', columns: ['id', 'name'] },
    })
    expect(rows).toEqual([
      { id: '1', name: 'Ada' },
      { id: '2', name: 'Bob' },
    ])
  })

  it('CSV in another character set', async () => {
    expect(await loaded(Buffer.from('name\nJos\xe9\n', 'latin1'), 'text/csv; charset=iso-8859-1')).toEqual([
      { name: 'José' },
    ])
  })

  it('CSV with types that the resource names', async () => {
    const target = await api((_request, response) => send(response, 'id,at\n7,2025-01-31T10:00:00Z\n', 'text/csv'))
    const { rows } = await load(target, [
      { name: 'items', columns: { id: { dataType: 'bigint' }, at: { dataType: 'timestamp' } } },
    ])
    const [row] = await rows('items')
    expect(String(row!.id)).toBe('7')
    expect(typeof row!.id).not.toBe('string')
  })

  it.each([
    ['two columns of one name', 'a,a\n1,2\n', /two columns are called "a"/],
    ['a line with a cell too many', 'a,b\n1,2\n1,2,3\n', /is not CSV in line 3/],
    ['a quote that never ends', 'a,b\n1,"2\n', /is not CSV in line/],
  ])('CSV with %s', async (_what, text, message) => {
    await expect(loaded(text, 'text/csv')).rejects.toThrow(message)
  })

  it('JSONL, with every number exact', async () => {
    expect(plain(await loaded(lines, 'application/x-ndjson'))).toEqual(plain(numbered))
  })

  it('JSONL that is broken names the line', async () => {
    await expect(loaded('{"id":1}\n{"id":\n', 'application/jsonl')).rejects.toThrow(/is not JSONL in line 2/)
  })

  it('JSONL whose line holds two values', async () => {
    await expect(loaded('{"id":1},{"id":2}\n{"id":3}', 'application/jsonl')).rejects.toThrow(/in line 1/)
  })

  it('rows inside of the lines', async () => {
    const text = '{"type":"a","items":[{"id":1},{"id":2}]}\n{"type":"b","items":[{"id":3}]}\n'
    const rows = await loaded(text, 'application/jsonl', { dataSelector: 'items' })
    expect(rows.map(({ id }) => Number(id))).toEqual([1, 2, 3])
  })

  it('gzip, by its content', async () => {
    expect(await loaded(gzipSync(csv), 'application/octet-stream', { format: 'csv' })).toEqual(people)
    expect(plain(await loaded(gzipSync(lines), 'application/x-ndjson'))).toEqual(plain(numbered))
    expect(await loaded(gzipSync('[{"id":1}]'), 'application/json')).toEqual([{ id: 1 }])
  })

  it('zip with several files', async () => {
    const both = zip({ 'a.csv': 'id\n1\n', 'folder/b.csv': 'id\n2\n' })
    expect(await loaded(both, 'application/zip', { format: 'csv' })).toEqual([{ id: '1' }, { id: '2' }])
    const one = zip({ 'a.json': '{"data":[{"id":1}]}' })
    expect(await loaded(one, 'application/zip', { dataSelector: 'data' })).toEqual([{ id: 1 }])
  })

  it('a zip that is cut off', async () => {
    const cut = zip({ 'a.csv': csv }).subarray(0, 60)
    await expect(loaded(cut, 'application/zip', { format: 'csv' })).rejects.toThrow(/a zip that cannot be unpacked/)
  })

  it('what unpacks to more than is allowed', async () => {
    const bomb = gzipSync(Buffer.alloc(2_000_000, 'a\n'))
    const target = await api((_request, response) => send(response, bomb, 'text/csv'))
    const run = load(target, ['items'], { maxResponseBytes: 100_000 })
    await expect(run).rejects.toMatchObject({ code: 'HTTP_TOO_LARGE' })
  })

  it('XML', async () => {
    const text = `<?xml version="1.0"?>
      <feed><title>News</title><item id="1"><name>A &amp; B</name></item><item id="2"><name>007</name></item></feed>`
    expect(await loaded(text, 'application/xml', { dataSelector: 'feed.item' })).toEqual([
      { id: '1', name: 'A & B' },
      { id: '2', name: '007' },
    ])
  })

  it.each([
    ['entities of its own', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', /declares entities/],
    ['no XML', '<a><b></a>', /text that is not XML/],
    ['a page for people', '<!doctype html><html></html>', /an HTML page/],
  ])('XML with %s', async (_what, text, message) => {
    const target = await api((_request, response) => send(response, text, 'text/xml'))
    await expect(load(target, ['items'], { maxAttempts: 1 })).rejects.toThrow(message)
  })

  it('a download that breaks off is begun again, and leaves nothing on the disk', async () => {
    let tries = 0
    const target = await api((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/csv', 'content-length': csv.length })
      if (++tries > 1) return response.end(csv)
      response.write(csv.slice(0, 20))
      setTimeout(() => response.destroy(), 20)
    })
    const into = freshPipeline()
    const { rows } = await load(target, ['items'], {}, into)
    expect(await rows('items')).toEqual(people)
    expect(readdirSync(join(process.env.SLUICE_DATA_DIR!, 'downloads'))).toEqual([])
  })

  it('pages of CSV, by a link in the headers', async () => {
    const target = await api((_request, response, url) => {
      const page = Number(url.searchParams.get('page') ?? 1)
      const link = page < 3 ? { link: `</items?page=${page + 1}>; rel="next"` } : {}
      response.writeHead(200, { 'content-type': 'text/csv', ...link })
      response.end(`id\n${page}\n`)
    })
    // Declared, and recognised.
    for (const endpoint of [{ paginator: { type: 'header_link' as const } }, {}]) {
      const { rows } = await load(target, [{ name: 'items', endpoint }])
      expect(await rows('items')).toEqual([{ id: '1' }, { id: '2' }, { id: '3' }])
    }
  })

  it('CSV of which the headers say that there is more', async () => {
    const target = await api((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/csv', 'x-total-count': '10' })
      response.end('id\n1\n')
    })
    await expect(load(target, ['items'])).rejects.toMatchObject({ code: 'PAGING_UNKNOWN' })
  })

  it('the same CSV again and again is a loop', async () => {
    const target = await api((_request, response) => send(response, 'id\n1\n', 'text/csv'))
    const paginator = { type: 'page_number', totalPath: null } as const
    const run = load(target, [{ name: 'items', endpoint: { paginator } }])
    await expect(run).rejects.toMatchObject({ code: 'PAGING_LOOP' })
  })
})
