import type { Source } from '../../extract/index.ts'
import type { ActionOptions, PlatformDocs, PlatformOptions } from './platform.ts'

/** A platform as the command line sees it. */
export interface AnyPlatform {
  (options?: PlatformOptions): Source
  readonly docs: PlatformDocs
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
