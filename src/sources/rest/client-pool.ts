import type { Config } from '../../config/index.ts'
import { Settings } from './auth/index.ts'
import { RestClient } from './client.ts'
import type { RestSourceSpec } from './spec.ts'

/** One client per run: rate budget, tokens and settings are shared by all resources of the source. */
export class ClientPool {
  readonly spec: RestSourceSpec
  private readonly isFile: boolean
  private readonly clients = new WeakMap<Config, RestClient>()
  private readonly settings = new WeakMap<Config, Settings>()

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
    let settings = this.settings.get(config)
    if (settings === undefined) {
      const place = { root: 'sources', section: this.spec.section ?? this.spec.name, name: this.spec.name }
      settings = new Settings(config, place)
      this.settings.set(config, settings)
    }
    return settings
  }
}
