import { ConfigReference, type Config, type ConfigPlace } from '../../../config/index.ts'
import { addSecret } from '../../../errors/index.ts'
import type { Setting } from '../spec.ts'

/** Looks up settings of one source. Literal secrets are remembered for masking as well. */
export class Settings {
  private readonly config: Config
  readonly place: ConfigPlace

  constructor(config: Config, place: ConfigPlace) {
    this.config = config
    this.place = place
  }

  text(setting: Setting): string {
    return setting instanceof ConfigReference ? String(this.config.get(setting, this.place)) : setting
  }

  /** A secret field; where the spec leaves it out, it is looked up under its own name, as in dlt. */
  secret(setting: Setting | undefined, field: string): string {
    const value = setting ?? this.implied(field)
    const text = this.text(value)
    addSecret(text)
    return text
  }

  private implied(field: string): ConfigReference {
    const nested = new ConfigReference(`credentials.${field}`, true, true)
    return this.config.find(nested, this.place) === undefined ? new ConfigReference(field, true, false) : nested
  }
}
