export type Tier = 'fast' | 'slow' | 'engines'

/** The tier that runs a test file. All files count as fast until the tiers are declared in one place. */
export const tierOf = (file: string): Tier => (file.startsWith('test/engines/') ? 'engines' : 'fast')
