import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { featureNames } from '../../src/mcp/server.ts'
import { readToolkits } from '../../src/workbench/toolkit.ts'

const toolkits = readToolkits()
const skills = toolkits.flatMap((toolkit) => toolkit.skills.map((skill) => ({ ...skill, toolkit: toolkit.name })))
const guide = readFileSync(fileURLToPath(new URL('../../docs/workbench.md', import.meta.url)), 'utf8')

describe.each(skills)('$toolkit/$name', ({ name, description, body, text, toolkit }) => {
  it('has the form that hosts ask for: name, description, length', () => {
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    expect(name.length).toBeLessThanOrEqual(64)
    const folder = fileURLToPath(new URL(`../../toolkits/${toolkit}/skills/${name}/SKILL.md`, import.meta.url))
    expect(readFileSync(folder, 'utf8')).toBe(text)
    expect(description.length).toBeLessThanOrEqual(600)
    expect(body.split('\n').length).toBeLessThan(100)
  })

  it('says when to use it, and when not', () => {
    expect(description).toMatch(/\bUse when\b/)
    expect(description).toMatch(/\bDo NOT use\b/)
  })

  it('names only skills that are there, and no address that must be fetched', () => {
    const names = new Set([...skills.map((one) => one.name), ...toolkits.map((one) => one.name)])
    const named = [...body.matchAll(/(?:Next: |take |skill |begin with )`([a-z-]+)`/g)].map(([, one]) => one!)
    expect(named.filter((one) => !names.has(one))).toEqual([])
    expect(body).not.toMatch(/https?:\/\//)
  })
})

it('toolkits begin with a skill of theirs, depend on others that are there, and have a workflow', () => {
  for (const { name, entrySkill, dependencies, skills: own, rules } of toolkits) {
    expect(own.map((one) => one.name)).toContain(entrySkill)
    expect(toolkits.map((one) => one.name)).toEqual(expect.arrayContaining(dependencies))
    const [workflow] = rules
    if (own.length > 2) expect(workflow!.text, name).toMatch(/ALWAYS begin with the skill `[\w-]+`/)
  }
  expect(new Set(skills.map(({ name }) => name)).size).toBe(skills.length)
})

it('the guide names every toolkit, skill and group of tools', () => {
  for (const { name } of [...toolkits, ...skills]) expect(guide).toContain(name)
  for (const name of featureNames) expect(guide).toMatch(new RegExp(`^\\| ${name} \\|`, 'm'))
})
