import type { Pipeline } from '../index.ts'
import { instrument } from './instrument.ts'

/**
 * For a program of one run: where OpenTelemetry's own variables say where to (`OTEL_EXPORTER_OTLP_ENDPOINT`), what the run does is
 * sent there. Returns what sends the rest; a run does not fail for it.
 */
export async function exportOtlp(pipeline: Pipeline, warn: (message: string) => void): Promise<() => Promise<void>> {
  const isWanted = Object.keys(process.env).some((name) => /^OTEL_EXPORTER_OTLP(_\w+)?_ENDPOINT$/.test(name))
  if (!isWanted || process.env.OTEL_SDK_DISABLED === 'true') return async () => undefined
  try {
    const { NodeSDK } = await import('@opentelemetry/sdk-node')
    process.env.OTEL_SERVICE_NAME ??= 'sluice'
    process.env.OTEL_METRICS_EXPORTER ??= 'otlp'
    process.env.OTEL_LOGS_EXPORTER ??= 'none'
    const sdk = new NodeSDK()
    sdk.start()
    await instrument(pipeline)
    return () => sdk.shutdown().catch((error: Error) => warn(`telemetry was not sent: ${error.message}`))
  } catch {
    warn('OTEL_EXPORTER_OTLP_ENDPOINT is set, but nothing is sent: npm install @opentelemetry/sdk-node')
    return async () => undefined
  }
}
