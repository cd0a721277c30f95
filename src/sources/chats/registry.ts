import { Config, config, settingText } from '../../config/index.ts'
import type { Source } from '../../extract/index.ts'
import type { ActionOptions, PlatformDocs, PlatformOptions, WebhookTable } from './platform.ts'

/** A platform as the command line sees it. */
export interface AnyPlatform {
  (options?: PlatformOptions): Source
  readonly docs: PlatformDocs
  readonly webhookTable?: WebhookTable
  readonly actions: Record<string, (input: never, options?: ActionOptions) => Promise<unknown>>
}

const platforms: Record<string, () => Promise<AnyPlatform>> = {
  chatlio: async () => (await import('./chatlio.ts')).chatlio as AnyPlatform,
  chatbot: async () => (await import('./chatbot.ts')).chatbot as AnyPlatform,
  chaport: async () => (await import('./chaport.ts')).chaport as AnyPlatform,
  chatra: async () => (await import('./chatra.ts')).chatra as AnyPlatform,
  cliengo: async () => (await import('./cliengo.ts')).cliengo as AnyPlatform,
}

export const platformNames = Object.keys(platforms)

/** The platform of that name, `undefined` when there is none. */
export const platformByName = async (name: string): Promise<AnyPlatform | undefined> =>
  Object.hasOwn(platforms, name) ? platforms[name]!() : undefined

/** Where a platform is asked, as the settings say now. */
export function platformOrigin({ name, baseUrl }: PlatformDocs, projectDir: string): string {
  const place = { root: 'sources', section: name, name: `${name}_source` }
  const address = settingText(
    new Config({ projectDir }).find(config('base_url'), place) ?? baseUrl,
    `sources.${name}.base_url`,
  )
  return URL.canParse(address) ? new URL(address).origin : address
}
