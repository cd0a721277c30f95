import { ConfigReference, settingText, type Config } from '../../config/index.ts'
import { resource, type Resource, type ResourceOptions } from '../../extract/index.ts'
import { settingsOf } from './run-settings.ts'

/** Looks a setting up. */
export type ValueOf = (reference: ConfigReference, config: Config) => unknown

/** Rows from a list in the configuration, to be parents of others: ids that an API cannot list. */
export function configuredList(
  name: string,
  field: string,
  setting: ConfigReference | string | readonly string[],
  section: { section: string; name: string } | ValueOf,
  options: ResourceOptions = { selected: false },
): Resource {
  return resource(
    name,
    (context) => {
      const valueOf: ValueOf =
        typeof section === 'function'
          ? section
          : (reference, config) => settingsOf(config, { root: 'sources', ...section }).list(reference)
      const value = setting instanceof ConfigReference ? valueOf(setting, context.config) : setting
      const values = listOf(value, setting instanceof ConfigReference ? setting.key : name)
      const mayBeEmpty = setting instanceof ConfigReference && setting.optional
      if (values.length === 0 && !mayBeEmpty)
        context.emit({ type: 'skipped', resource: name, detail: 'its list is empty, so nothing is asked for' })
      return values.map((id) => ({ [field]: id }))
    },
    options,
  )
}

/** A list as TOML has it, or as text: JSON, or separated by commas. */
function listOf(value: unknown, key: string): string[] {
  if (value === undefined || value === null || value === '') return []
  if (Array.isArray(value)) return value.map((one) => settingText(one, key))
  const text = settingText(value, key).trim()
  if (text.startsWith('[')) return (JSON.parse(text) as unknown[]).map(String)
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
