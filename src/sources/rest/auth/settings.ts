import { ConfigReference, isPlaceholder, settingText, type Config, type ConfigPlace } from '../../../config/index.ts'
import { isForAssistant, loginKey, type LookedUp } from '../../../egress/index.ts'
import { addSecret, PipelineError } from '../../../errors/index.ts'
import { isSecretField } from '../../../masking/index.ts'
import type { Setting } from './auth-spec.ts'

/** Fields that name somebody: they are masked, yet open nothing. */
const names = new Set(['username', 'client_id', 'access_key_id'])

/** Looks up settings of one source. Literal secrets are remembered for masking as well. */
export class Settings {
  private readonly config: Config
  readonly place: ConfigPlace
  /** Values of the secrets that were looked up or given so far; names of users are none. */
  readonly secrets = new Set<string>()
  /** What was looked up so far, by its key. */
  readonly found = new Map<string, LookedUp>()
  private readonly unset = new Set<ConfigReference>()

  constructor(config: Config, place: ConfigPlace) {
    this.config = config
    this.place = place
  }

  text(setting: Setting): string {
    const text = this.valueOf(setting)
    if (setting instanceof ConfigReference && setting.isSecret) this.secrets.add(text)
    return text
  }

  /** A secret field; where the spec leaves it out, it is looked up under its own name, as in dlt. */
  secret(setting: Setting | undefined, field: string): string {
    const value = setting ?? this.implied(field)
    const text = this.valueOf(value)
    if (isPlaceholder(text)) {
      throw new PipelineError(`"${field}" of ${this.place.name ?? 'the source'} is still a placeholder`, {
        code: 'CONFIG_MISSING',
        fix: `name it in the source: { secret: ${field} }, and set it: sluice secrets set ${this.keyOf(field)}`,
      })
    }
    addSecret(text)
    if (!names.has(field)) this.secrets.add(text)
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

  /** The value of a reference, as it is written: a list stays one. */
  value(reference: ConfigReference): unknown {
    const found = this.config.lookUp(reference, this.place)
    if (found === undefined) {
      this.unset.add(reference)
      return this.config.get(reference, this.place)
    }
    const isSecret = reference.isSecret || this.found.get(found.key)?.isSecret === true
    this.found.set(found.key, { ...found, isSecret })
    return found.value
  }

  /** The values of a list, which become parts of requests. */
  list(reference: ConfigReference): unknown {
    const value = this.value(reference)
    if (reference.isSecret)
      for (const one of [value].flat()) this.secrets.add(settingText(one, this.keyOf(reference.key)))
    return value
  }

  /** Counts a token that a login brought as looked up: it is kept for all projects, like the secrets of the home folder. */
  noteLogin(token: string): void {
    const key = loginKey(this.place.name ?? '', isForAssistant())
    this.found.set(key, { key, value: token, origin: 'home', isKept: true, isSecret: true })
    this.secrets.add(token)
  }

  /** Whether it was looked up and nobody has set it, so that its default in code counts. */
  isDefault(setting: Setting): boolean {
    return setting instanceof ConfigReference && this.unset.has(setting)
  }

  private valueOf(setting: Setting): string {
    return setting instanceof ConfigReference ? settingText(this.value(setting), this.keyOf(setting.key)) : setting
  }

  private keyOf(field: string): string {
    const { root, section, name = section } = this.place
    return [root, name, field].filter((part) => part !== undefined).join('.')
  }

  private implied(field: string): ConfigReference {
    const nested = new ConfigReference(`credentials.${field}`, true, true)
    return this.config.find(nested, this.place) === undefined ? new ConfigReference(field, true, false) : nested
  }
}
