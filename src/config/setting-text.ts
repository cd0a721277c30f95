import { PipelineError } from '../errors/index.ts'

/**
 * The value of a setting as a string: a date in ISO 8601, a list separated by commas. Throws `CONFIG_INVALID` for a table, whose
 * settings are looked up by their own names. `key` names the setting in the error.
 */
export function settingText(value: unknown, key: string): string {
  if (Array.isArray(value)) return value.map((inner) => settingText(inner, key)).join(',')
  if (value instanceof Date) return value.toISOString()
  if (typeof value !== 'object' || value === null) return String(value)
  throw new PipelineError(`setting "${key}" is a table, expected a single value`, {
    code: 'CONFIG_INVALID',
    fix: `write ${key} = "…" in its section; a section [….${key.split('.').at(-1)}] of that name holds other settings`,
  })
}

/**
 * Every string that a value of `secrets.toml` may turn up as: each value of a list or a table, however deep, a date as the file
 * has it, in UTC, and without milliseconds.
 */
export function secretTexts(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)]
  if (value instanceof Date) {
    const forms = [value.toISOString(), new Date(value.getTime()).toISOString()]
    // A local date or time has no form in UTC.
    const written = /(?:Z|[+-]\d\d:\d\d)$/.test(forms[0]!) ? forms : forms.slice(0, 1)
    return [...new Set(written.flatMap((form) => [form, form.replace(/\.000(?!\d)/, '')]))]
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(secretTexts) : []
}
