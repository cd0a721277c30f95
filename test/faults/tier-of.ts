export type Tier = 'fast' | 'slow' | 'engines'

/** The tier that runs a test file: `npm test` leaves out slow ones and those that need installed engines. */
export function tierOf(file: string): Tier {
  if (file.startsWith('test/engines/')) return 'engines'
  return file.endsWith('.slow.test.ts') ? 'slow' : 'fast'
}
