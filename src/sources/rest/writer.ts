import { Config } from '../../config/index.ts'
import { PipelineError } from '../../errors/index.ts'
import { Settings } from './auth/index.ts'
import { isSkipped, RestClient } from './client.ts'
import { refusedWrite } from './refused-write.ts'
import { discardRows, joinUrl, type RestRequest } from './request.ts'
import type { ClientSpec } from './spec.ts'

/** Something to be written to an API. */
export interface Write {
  /** @default 'POST' */
  method?: Exclude<RestRequest['method'], 'GET'>
  path: string
  body?: Record<string, unknown>
  headers?: Record<string, string>
  /** The server knows a request that it has seen before, by its headers or its address; so it may be repeated. */
  isIdempotent?: boolean
}

/** Sends writes with one rate budget and one set of credentials. One that may have arrived is not sent again. */
export class RestWriter {
  private readonly client: RestClient
  private readonly name: string

  /** `place`: where settings stand, as for a source of that name. */
  constructor(spec: ClientSpec, place: { section: string; name: string }) {
    this.client = new RestClient(spec, new Settings(new Config(), { root: 'sources', ...place }))
    this.name = place.name
  }

  /** The address, and what is sent there. */
  request({ method = 'POST', path, body, headers }: Write): RestRequest {
    const url = joinUrl(this.client.baseUrl, path)
    return { method, url, headers: { ...this.client.headers(), ...headers }, body }
  }

  /**
   * The body of the response. Throws `PipelineError`; its `cause` has the status, also the one that an error in a response of
   * status 2xx counts as.
   */
  async send(write: Write, signal: AbortSignal): Promise<unknown> {
    try {
      const response = await this.client.send(this.request(write), undefined, {
        resource: `${this.name} action`,
        signal,
        emit: () => undefined,
        once: write.isIdempotent !== true,
        judge: refusedWrite,
      })
      if (isSkipped(response)) return undefined
      await discardRows(response)
      return response.body
    } catch (cause) {
      if (cause instanceof PipelineError || !signal.aborted) throw cause
      throw new PipelineError(`${this.name} action: interrupted before it was sent`, {
        code: 'ABORTED',
        recovery: 'retry',
        fix: 'run it again',
        cause,
      })
    }
  }
}
