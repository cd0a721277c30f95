import type { Config } from '../../config/index.ts'
import { Settings } from './auth/index.ts'
import { RestClient } from './client.ts'
import type { RestSourceSpec } from './spec.ts'

/** One client per run: rate budget, tokens and settings are shared by all resources of the source. */
export class ClientPool {
  readonly spec: RestSourceSpec
  private readonly clients = new WeakMap<Config, RestClient>()

  constructor(spec: RestSourceSpec) {
    this.spec = spec
  }

  get(config: Config): RestClient {
    let client = this.clients.get(config)
    if (client === undefined) {
      const place = { root: 'sources', section: this.spec.section ?? this.spec.name, name: this.spec.name }
      client = new RestClient(this.spec.client, new Settings(config, place))
      this.clients.set(config, client)
    }
    return client
  }
}
