import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { expect, it, onTestFinished } from 'vitest'
import { restSource } from '../../src/sources/rest/index.ts'
import { instrument } from '../../src/telemetry/index.ts'
import { api, freshPipeline, json } from '../support/api.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const hidden = 'the-real-token-0123456789'

it('tells what a run does as spans and metrics, without a value or a secret', async () => {
  const spans = new InMemorySpanExporter()
  const reader = new PeriodicExportingMetricReader({
    exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
    exportIntervalMillis: 3_600_000,
  })
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }))
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  onTestFinished(() => {
    trace.disable()
    metrics.disable()
    context.disable()
  })
  const target = await api((_request, response, url) =>
    url.pathname === '/broken'
      ? json(response, { message: hidden }, 404)
      : json(response, [{ id: 1, name: 'somebody' }, { id: 2 }]),
  )
  const source = (...resources: unknown[]) =>
    restSource({
      name: 'shop',
      client: { baseUrl: target.baseUrl, auth: { type: 'bearer', token: hidden }, paginator: 'single_page' },
      resources,
    } as never)
  const loading = freshPipeline('observed')
  const end = await instrument(loading)
  await trace.getTracer('program').startActiveSpan('around', async (around) => {
    await loading.run(source({ name: 'items', endpoint: { path: 'items', params: { key: 'of-the-query' } } }))
    around.end()
  })
  await loading.run(source('broken')).catch(() => undefined)
  end()
  await loading.run(source('items'))

  const all = spans.getFinishedSpans()
  const named = (name: string) => all.filter((span) => span.name === name)
  const [run, failed] = named('sluice.run')
  expect(named('sluice.run')).toHaveLength(2)
  expect(run!.parentSpanContext?.spanId).toBe(named('around')[0]!.spanContext().spanId)
  expect(run!.attributes).toMatchObject({ 'sluice.pipeline': 'observed', 'sluice.destination': 'duckdb' })
  expect(named('sluice.extract')[0]).toMatchObject({
    parentSpanContext: { spanId: run!.spanContext().spanId },
    attributes: { 'sluice.rows': 2 },
  })
  expect(named('GET')[0]).toMatchObject({
    parentSpanContext: { spanId: named('sluice.extract')[0]!.spanContext().spanId },
    attributes: { 'http.response.status_code': 200 },
  })
  expect(named('sluice.load')).toHaveLength(1)
  expect(failed!.attributes['error.type']).toBe('HTTP_STATUS')
  expect(failed!.status.code).toBe(2)
  const text = JSON.stringify(all.map(({ name, attributes, status, events }) => ({ name, attributes, status, events })))
  expect(text).not.toMatch(/the-real-token|of-the-query|somebody/)

  const { resourceMetrics } = await reader.collect()
  const points = resourceMetrics.scopeMetrics.flatMap((scope) =>
    scope.metrics.map((one) => [
      one.descriptor.name,
      one.dataPoints.map(({ value, attributes }) => [attributes, typeof value === 'number' ? value : value.count]),
    ]),
  )
  expect(Object.fromEntries(points)).toMatchObject({
    'sluice.rows': [[{ 'sluice.pipeline': 'observed' }, 2]],
    'sluice.requests': [
      [{ 'http.response.status_code': 200 }, 1],
      [{ 'http.response.status_code': 404 }, 1],
    ],
    'sluice.run.duration': [
      [{ outcome: 'success' }, 1],
      [{ outcome: 'failure' }, 1],
    ],
  })
})

it(
  'sluice run sends to the collector that the variables name; without them nothing is loaded, nothing sent',
  { tags: ['slow'] },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-telemetry-'))
    const collected: string[] = []
    const collector = await api((_request, response, url, body) => {
      collected.push(`${url.pathname} ${body}`)
      json(response, {})
    })
    const target = await api((_request, response) => json(response, [{ id: 1 }]))
    writeFileSync(
      join(folder, 'shop.source.yaml'),
      `name: shop\nclient: { base_url: '${target.baseUrl}' }\nresources:\n  - { name: items, endpoint: { path: items, paginator: single_page } }\n`,
    )
    const run = async (env: NodeJS.ProcessEnv): Promise<number> => {
      const child = spawn(process.execPath, [main, 'run', 'shop.source.yaml', '--json'], {
        cwd: folder,
        env: { ...process.env, HOME: folder, SLUICE_DATA_DIR: join(folder, 'data'), ...env },
      })
      const [code] = (await once(child, 'close')) as [number]
      return code
    }
    expect(await run({})).toBe(0)
    expect(collected).toEqual([])
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.baseUrl, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }
    expect(await run(endpoint)).toBe(0)
    expect(collected.find((one) => one.startsWith('/v1/traces'))).toMatch(/sluice\.run[^]*sluice/)
    expect(collected.find((one) => one.startsWith('/v1/metrics'))).toContain('sluice.rows')
    // A collector that is gone does not fail a run.
    expect(
      await run({ ...endpoint, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', OTEL_EXPORTER_OTLP_TIMEOUT: '500' }),
    ).toBe(0)
  },
)
