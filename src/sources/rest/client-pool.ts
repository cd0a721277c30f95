import type { Config } from '../../config/index.ts'
import type { Settings } from './auth/index.ts'
import { RestClient } from './client.ts'
import { settingsOf } from './run-settings.ts'
import type { RestSourceSpec } from './spec.ts'

/** One client per run: rate budget, tokens and settings are shared by all resources of the source. */
export class ClientPool {
  readonly spec: RestSourceSpec
  private readonly isFile: boolean
  private readonly clients = new WeakMap<Config, RestClient>()

  /** `isFile`: the source is a file, not code. */
  constructor(spec: RestSourceSpec, isFile: boolean) {
    this.spec = spec
    this.isFile = isFile
  }

  get(config: Config): RestClient {
    let client = this.clients.get(config)
    if (client === undefined) {
      client = new RestClient(this.spec.client, this.settingsOf(config), { isFile: this.isFile })
      this.clients.set(config, client)
    }
    return client
  }

  /** What the source looks up in a run. */
  settingsOf(config: Config): Settings {
    const { name, section = name } = this.spec
    return settingsOf(config, { root: 'sources', section, name })
  }
}
