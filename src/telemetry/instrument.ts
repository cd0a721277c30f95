import type * as openTelemetry from '@opentelemetry/api'
import type { Attributes, Context, Span } from '@opentelemetry/api'
import { PipelineError, type Pipeline, type RunEvent } from '../index.ts'

type Api = typeof openTelemetry

/**
 * Tells OpenTelemetry what the runs of a pipeline do: spans of runs, resources, requests and loads, and metrics. It goes to the
 * providers that the program has registered; without any, nowhere. Needs the package `@opentelemetry/api`. Returns what ends it.
 */
export async function instrument(pipeline: Pipeline): Promise<() => void> {
  const api = await import('@opentelemetry/api').catch((cause: unknown) => {
    throw new PipelineError('telemetry needs the package @opentelemetry/api', {
      code: 'DRIVER_MISSING',
      fix: 'npm install @opentelemetry/api',
      cause,
    })
  })
  const recorder = new TelemetryRecorder(api, pipeline.name)
  return pipeline.on((event) => recorder.take(event))
}

/** Addresses and names only: no payload, no value of a row, and no query of an address, which may hold keys. */
class TelemetryRecorder {
  private readonly api: Api
  private readonly pipeline: string
  private readonly instruments: ReturnType<typeof instrumentsOf>
  private run: { span: Span; context: Context } | undefined
  private readonly resources = new Map<string, { span: Span; context: Context }>()

  constructor(api: Api, pipeline: string) {
    this.api = api
    this.pipeline = pipeline
    this.instruments = instrumentsOf(api)
  }

  take(event: RunEvent): void {
    switch (event.type) {
      case 'run-started': {
        const { destination, dataset } = event
        this.run = this.begin('sluice.run', { 'sluice.destination': destination, 'sluice.dataset': dataset }, undefined)
        return
      }
      case 'resource-started':
        this.resources.set(event.resource, this.begin('sluice.extract', this.of(event.resource), this.run?.context))
        return
      case 'request':
        return this.requested(event)
      case 'wait':
        this.resources.get(event.resource)?.span.addEvent('wait', { reason: event.reason, ms: Math.round(event.ms) })
        this.instruments.waits.record(event.ms / 1000, { ...this.of(event.resource), reason: event.reason })
        return
      case 'resource-failed':
        return this.ended(event.resource, event.error)
      case 'resource-finished':
        this.resources
          .get(event.resource)
          ?.span.setAttributes({ 'sluice.rows': event.rows, 'sluice.pages': event.pages })
        return this.ended(event.resource, undefined)
      case 'package-loaded':
        return this.loaded(event)
      case 'run-finished':
        return this.over(event.ms, undefined)
      case 'run-failed':
        return this.over(event.ms, event.error)
    }
  }

  private of(resource: string): Attributes {
    return { 'sluice.pipeline': this.pipeline, 'sluice.resource': resource }
  }

  private begin(
    name: string,
    attributes: Attributes,
    above: Context | undefined,
    startTime?: number,
  ): { span: Span; context: Context } {
    const parent = above ?? this.api.context.active()
    const all = { 'sluice.pipeline': this.pipeline, ...attributes }
    const span = this.tracer().startSpan(
      name,
      { attributes: all, ...(startTime === undefined ? {} : { startTime }) },
      parent,
    )
    return { span, context: this.api.trace.setSpan(parent, span) }
  }

  private tracer() {
    return this.api.trace.getTracer('sluice')
  }

  private requested({ resource, method, url, status, ms }: Extract<RunEvent, { type: 'request' }>): void {
    const attributes = { 'http.request.method': method, 'url.full': url, 'http.response.status_code': status }
    const above = this.resources.get(resource)?.context ?? this.run?.context
    const { span } = this.begin(method, { ...this.of(resource), ...attributes }, above, Date.now() - ms)
    if (status >= 400 || status === 0) span.setStatus({ code: this.api.SpanStatusCode.ERROR })
    span.end()
    this.instruments.requests.add(1, { ...this.of(resource), 'http.response.status_code': status })
  }

  private ended(resource: string, error: unknown): void {
    const found = this.resources.get(resource)
    if (found === undefined) return
    this.fail(found.span, error)
    found.span.end()
    this.resources.delete(resource)
  }

  private loaded({ loadId, rows, bytes, ms, recovered }: Extract<RunEvent, { type: 'package-loaded' }>): void {
    const attributes = { 'sluice.load_id': loadId, 'sluice.recovered': recovered }
    this.begin('sluice.load', attributes, this.run?.context, Date.now() - ms).span.end()
    const pipeline = { 'sluice.pipeline': this.pipeline }
    for (const [table, count] of Object.entries(rows))
      this.instruments.rows.add(count, { ...pipeline, 'sluice.table': table })
    for (const [table, count] of Object.entries(bytes))
      this.instruments.bytes.add(count, { ...pipeline, 'sluice.table': table })
  }

  private over(ms: number, error: unknown): void {
    for (const resource of this.resources.keys()) this.ended(resource, error)
    if (this.run !== undefined) {
      this.fail(this.run.span, error)
      this.run.span.end()
      this.run = undefined
    }
    const outcome = error === undefined ? 'success' : 'failure'
    this.instruments.durations.record(ms / 1000, { 'sluice.pipeline': this.pipeline, outcome })
  }

  /** Messages of our own errors have no secrets; those of others are left out. */
  private fail(span: Span, error: unknown): void {
    if (error === undefined) return
    const known = error instanceof PipelineError
    span.setAttribute('error.type', known ? error.code : 'UNEXPECTED')
    span.setStatus({
      code: this.api.SpanStatusCode.ERROR,
      ...(known ? { message: error.summary.split('\n')[0]! } : {}),
    })
  }
}

function instrumentsOf({ metrics }: Api) {
  const meter = metrics.getMeter('sluice')
  return {
    rows: meter.createCounter('sluice.rows', { description: 'Rows loaded' }),
    bytes: meter.createCounter('sluice.bytes', { description: 'Bytes of rows in load packages', unit: 'By' }),
    requests: meter.createCounter('sluice.requests', { description: 'Answers of APIs' }),
    waits: meter.createHistogram('sluice.wait', { description: 'Waited for limits, retries and reports', unit: 's' }),
    durations: meter.createHistogram('sluice.run.duration', { description: 'How long runs took', unit: 's' }),
  }
}
