import { addSecret, PipelineError } from '../errors/index.ts'
import { secretTexts } from './setting-text.ts'
import { readTomlFiles, tomlValue, type TomlFile } from './toml-files.ts'

/** Where a value may stand, from the most specific place to the least. */
export interface ConfigPlace {
  /** `sources` or `destination`; `undefined` for top-level keys. */
  root: string | undefined
  /** dlt's section of a source: the platform or the file it is declared in. */
  section?: string
  /** The name of the source or destination. */
  name?: string
}

/** A value to be looked up when the run starts; made by `secret` and `config`. */
export class ConfigReference {
  readonly key: string
  readonly isSecret: boolean
  readonly optional: boolean
  readonly fallback: unknown

  constructor(key: string, isSecret: boolean, optional: boolean, fallback?: unknown) {
    this.key = key
    this.isSecret = isSecret
    this.optional = optional
    this.fallback = fallback
  }

  toJSON(): string {
    return `<${this.isSecret ? 'secret' : 'config'} ${this.key}>`
  }
}

/** A secret from the environment or `secrets.toml`, looked up under the source's sections. */
export const secret = (key: string): ConfigReference => new ConfigReference(key, true, false)

/** A setting from the environment, `secrets.toml` or `config.toml`. */
export const config = (key: string, options: { optional?: boolean; fallback?: unknown } = {}): ConfigReference =>
  new ConfigReference(key, false, options.optional ?? options.fallback !== undefined, options.fallback)

/** Who said a value: the environment, the project's folder, or the home folder of this user. */
export type ConfigOrigin = 'environment' | 'project' | 'home'

/** A value with where it comes from. */
export interface FoundValue {
  value: unknown
  /** Its sections and its name: `sources.shop.token`. */
  key: string
  origin: ConfigOrigin
  /** It is in the environment or a `secrets.toml`, which only people write. */
  isKept: boolean
}

interface Provider {
  name: string
  holdsSecrets: boolean
  find(path: readonly string[]): unknown
  /** The file that `find` took it from. */
  file?(path: readonly string[]): TomlFile | undefined
  show(path: readonly string[]): string
}

/** A setting that was found: its name and what it stands in, never its value. */
export interface FoundSetting {
  name: string
  provider: string
}

interface LocatedValue {
  path: string[]
  value: unknown
  /** How its provider calls it. */
  name: string
  file: string | undefined
}

/** Looks values up the way dlt does: environment, then `secrets.toml`, then `config.toml`. */
export class Config {
  private readonly pipeline: string | undefined
  private readonly providers: Provider[]
  private readonly files: TomlFile[]
  private readonly onFound: ((found: FoundSetting) => void) | undefined

  constructor(
    options: {
      pipeline?: string
      projectDir?: string
      env?: NodeJS.ProcessEnv
      onFound?: (found: FoundSetting) => void
    } = {},
  ) {
    this.onFound = options.onFound
    const projectDir = options.projectDir ?? process.cwd()
    const secrets = readTomlFiles('secrets.toml', projectDir)
    const settings = readTomlFiles('config.toml', projectDir)
    this.pipeline = options.pipeline
    this.files = [...secrets, ...settings]
    this.providers = [
      environment(options.env ?? process.env),
      toml('secrets.toml', true, secrets),
      toml('config.toml', false, settings),
    ]
  }

  /** The value, or `undefined` when it stands nowhere. Placeholders count as missing. */
  find(reference: ConfigReference, place: ConfigPlace): unknown {
    return this.lookUp(reference, place)?.value
  }

  /** As `find`, with who said it. */
  lookUp(reference: ConfigReference, place: ConfigPlace): FoundValue | undefined {
    for (const path of this.paths(reference.key, place)) {
      for (const provider of this.providers) {
        const value = provider.find(path)
        if (value === undefined || isPlaceholder(value)) continue
        if (reference.isSecret && !provider.holdsSecrets) throw secretInConfig(reference.key, provider.show(path))
        if (reference.isSecret) for (const text of secretTexts(value)) addSecret(text)
        this.onFound?.({ name: provider.show(path), provider: provider.name })
        const file = provider.file?.(path)
        const origin = file === undefined ? 'environment' : file.isHome ? 'home' : 'project'
        return { value, key: path.join('.'), origin, isKept: provider.holdsSecrets }
      }
    }
    return undefined
  }

  /** Where the value stands that `find` would take, or else a placeholder for it. */
  locate(reference: ConfigReference, place: ConfigPlace): LocatedValue | undefined {
    const all = this.paths(reference.key, place).flatMap((path) =>
      this.providers.flatMap((provider) => {
        const value = provider.find(path)
        return value === undefined
          ? []
          : [{ path, value, name: provider.show(path), file: provider.file?.(path)?.path }]
      }),
    )
    return all.find(({ value }) => !isPlaceholder(value)) ?? all[0]
  }

  /** The value; throws `CONFIG_MISSING` with every place that was tried. */
  get(reference: ConfigReference, place: ConfigPlace): unknown {
    const value = this.find(reference, place)
    if (value === undefined && !reference.optional) throw this.missing(reference, place)
    return value ?? reference.fallback
  }

  private paths(key: string, { root, section, name }: ConfigPlace): string[][] {
    const inner = [
      ...(section !== undefined && name !== undefined && section !== name ? [[section, name]] : []),
      ...(section !== undefined ? [[section]] : []),
      ...(name !== undefined && name !== section ? [[name]] : []),
      [],
    ]
    const keyPath = key.split('.')
    const rooted = root === undefined ? [] : inner.map((path) => [root, ...path, ...keyPath])
    const group = [...rooted, keyPath]
    return this.pipeline === undefined ? group : [...group.map((path) => [this.pipeline!, ...path]), ...group]
  }

  private missing(reference: ConfigReference, place: ConfigPlace): PipelineError {
    const tried = this.providers
      .filter((provider) => provider.holdsSecrets || !reference.isSecret)
      .flatMap((provider) =>
        this.paths(reference.key, place).map((path) => `  ${provider.name}: ${provider.show(path)}`),
      )
    const placeholders = this.paths(reference.key, place).flatMap((path) =>
      this.providers.filter((provider) => isPlaceholder(provider.find(path))).map((provider) => provider.show(path)),
    )
    const files = this.files.map((file) => `  ${file.content === undefined ? 'not found' : 'read     '}  ${file.path}`)
    const note = placeholders.length === 0 ? '' : `\n  still a placeholder: ${placeholders.join(', ')}`
    const best = [place.root, place.name, ...reference.key.split('.')].filter((part) => part !== undefined)
    return new PipelineError(
      `${reference.isSecret ? 'secret' : 'setting'} "${reference.key}" of ${place.name ?? 'the project'} is missing${note}\n` +
        `tried, in this order:\n${tried.join('\n')}\nfiles:\n${files.join('\n')}`,
      {
        code: 'CONFIG_MISSING',
        fix: `set ${environmentName(best)}, or ${
          reference.isSecret
            ? `run: sluice secrets set ${best.join('.')}`
            : `add to .sluice/config.toml: [${best.slice(0, -1).join('.')}] ${best.at(-1)} = "…"`
        }`,
      },
    )
  }
}

/** The variable that a setting has: its sections and its name. */
export const environmentName = (path: readonly string[]): string => path.map((part) => part.toUpperCase()).join('__')

function environment(env: NodeJS.ProcessEnv): Provider {
  return {
    name: 'environment',
    holdsSecrets: true,
    find: (path) => env[environmentName(path)],
    show: environmentName,
  }
}

function toml(name: string, holdsSecrets: boolean, files: readonly TomlFile[]): Provider {
  // A placeholder in the project does not hide the value in the home folder.
  const fileOf = (path: readonly string[]): TomlFile | undefined => {
    const having = files.filter(({ content }) => tomlValue(content, path) !== undefined)
    return having.find(({ content }) => !isPlaceholder(tomlValue(content, path))) ?? having[0]
  }
  return {
    name,
    holdsSecrets,
    find: (path) => tomlValue(fileOf(path)?.content, path),
    file: (path) => fileOf(path),
    show: (path) => path.join('.'),
  }
}

/** What `sluice init` and documentation leave in place of a value. */
export const isPlaceholder = (value: unknown): boolean =>
  typeof value === 'string' &&
  /^\s*(<.*>|configure me|(change|replace)[-_ ]?(me|this)|todo|x{3,}|\.{3}|…)\s*$/i.test(value)

/** Values copied from documentation as they stood there. They are used, but a refusal then says so. */
export const looksCopied = (value: string): boolean => /^your[_-].*|^PUBLIC_KEY:PRIVATE_KEY$/i.test(value)

function secretInConfig(key: string, where: string): PipelineError {
  return new PipelineError(`secret "${key}" stands in config.toml (${where}), which is not for secrets`, {
    code: 'SECRET_IN_CONFIG',
    fix: 'move it to secrets.toml and keep that file out of version control',
  })
}
