import { ConfigReference, isPlaceholder, type Config, type ConfigPlace } from '../../../config/index.ts'
import { addSecret, PipelineError } from '../../../errors/index.ts'
import { isSecretField } from '../../../masking/index.ts'
import type { Setting } from './auth-spec.ts'

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
    if (isPlaceholder(text)) {
      throw new PipelineError(`"${field}" of ${this.place.name ?? 'the source'} is still a placeholder`, {
        code: 'CONFIG_MISSING',
        fix: 'put the secret into .sluice/secrets.toml, and name it in the source: { secret: … }',
      })
    }
    addSecret(text)
    return text
  }

  /** As `secret`; `undefined` when it is nowhere. */
  optionalSecret(setting: Setting | undefined, field: string): string | undefined {
    const known = setting !== undefined || this.config.find(this.implied(field), this.place) !== undefined
    return known ? this.secret(setting, field) : undefined
  }

  /** Values of a request, with those looked up that are named only, however deep they are. */
  values(given: Record<string, unknown>, onSecret: (value: string) => void = () => undefined): Record<string, unknown> {
    const valueOf = (name: string, value: unknown): unknown => {
      // A value that stands in the source itself is a secret where its name says so.
      if (this.isReference(value) || (typeof value === 'string' && (isSecretField(name) || /key$/i.test(name)))) {
        const text = this.secret(value, name)
        onSecret(text)
        return text
      }
      if (Array.isArray(value)) return value.map((inner) => valueOf(name, inner))
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(Object.entries(value).map(([inner, one]) => [inner, valueOf(inner, one)]))
    }
    return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, valueOf(name, value)]))
  }

  isReference(value: unknown): value is ConfigReference {
    return value instanceof ConfigReference
  }

  private implied(field: string): ConfigReference {
    const nested = new ConfigReference(`credentials.${field}`, true, true)
    return this.config.find(nested, this.place) === undefined ? new ConfigReference(field, true, false) : nested
  }
}
