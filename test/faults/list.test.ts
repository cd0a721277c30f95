import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { faults, moduleOf, planted, root } from './fault.ts'

/** Equipment of tests, and folders without code of their own. */
const without = ['', 'failpoints', 'testing', 'sources', 'sources/simulators']

describe('the list of planted faults', () => {
  it('fits the code: each text is there once, and its test exists', () => {
    for (const fault of faults) {
      expect(() => planted(readFileSync(join(root, fault.file), 'utf8'), fault), fault.id).not.toThrow()
      expect(fault.replace, fault.id).not.toBe(fault.find)
      expect(existsSync(join(root, fault.caughtBy)), `${fault.id}: ${fault.caughtBy}`).toBe(true)
    }
  })

  it('names each fault once, and has some for every module', () => {
    const ids = faults.map(({ id }) => id)
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
    const modules = new Set(globSync('src/**/*.ts', { cwd: root }).map(moduleOf))
    const planned = new Set(faults.map(({ file }) => moduleOf(file)))
    expect([...modules].filter((name) => !planned.has(name) && !without.includes(name))).toEqual([])
  })
})
