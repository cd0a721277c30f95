import { credentialOf, missing, type DestinationSetting } from '../settings.ts'

/** The URL in `credentials`, or one made of the parts that stand below it under dlt's names. */
export function connectionUrl(name: string, setting: DestinationSetting): string {
  const whole = setting('credentials')
  if (whole !== undefined) return whole
  const credential = credentialOf(setting)
  const needed = ['host', 'database', 'username'].map((key) => [key, credential(key)] as const)
  if (needed.every(([, value]) => value === undefined)) throw missing(name, 'CREDENTIALS', 'its connection string')
  const [absent] = needed.find(([, value]) => value === undefined) ?? []
  if (absent !== undefined) throw missing(name, `CREDENTIALS__${absent.toUpperCase()}`, `its ${absent}`)
  const [host, database, username] = needed.map(([, value]) => value!) as [string, string, string]
  const [password, port] = [credential('password'), credential('port')]
  const query = new URLSearchParams()
  for (const key of ['sslmode', 'sslrootcert']) {
    const value = credential(key) ?? credential(`query.${key}`)
    if (value !== undefined) query.set(key, value)
  }
  const login = [username, ...(password === undefined ? [] : [password])].map(encodeURIComponent).join(':')
  const place = `${host.includes(':') ? `[${host}]` : host}${port === undefined ? '' : `:${port}`}`
  return `postgres://${login}@${place}/${encodeURIComponent(database)}${query.size === 0 ? '' : `?${query}`}`
}
