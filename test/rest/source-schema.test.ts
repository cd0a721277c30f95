import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { describe, expect, it } from 'vitest'
import { sourceSchema } from '../../scripts/source-schema.ts'

const root = new URL('../../', import.meta.url)
const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(sourceSchema)

describe('source.schema.json', () => {
  it('is the one that the grammar gives: npm run docs:schema', () => {
    expect(JSON.parse(readFileSync(new URL('source.schema.json', root), 'utf8'))).toEqual(sourceSchema)
  })

  it('takes the source files of the docs', () => {
    const page = readFileSync(new URL('docs/rest.md', root), 'utf8')
    const files = [...page.matchAll(/^```yaml\n([^]*?)^```$/gm)].map((match) => parse(match[1]!) as unknown)
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) expect(validate(file), JSON.stringify(validate.errors)).toBe(true)
  })

  const { cases } = JSON.parse(readFileSync(new URL('../cases/rest-api.json', import.meta.url), 'utf8')) as {
    cases: { id: string; title: string; config: object; expect?: { error?: { class: string } } }[]
  }
  // Functions and resources from code, and a session object of Python.
  const files = cases.filter(({ config }) => !/\$(fn|resource)/.test(JSON.stringify(config)))
  // B01, B25 and B31 leave out or contradict what is needed.
  const sound = files.filter((one) => one.expect?.error?.class !== 'DictValidationException')

  it.each(sound.filter(({ id }) => !['B01', 'B25', 'B31'].includes(id)).map((one) => [one.id, one.config]))(
    'takes %s',
    (_id, config) => {
      expect(validate(config), JSON.stringify(validate.errors)).toBe(true)
    },
  )

  it.each([
    ['an unknown key', { client: { base_url: 'https://x', invalid_key: 1 }, resources: [] }],
    [
      'a paginator key of another type',
      { client: { base_url: 'https://x', paginator: { type: 'cursor', limit: 1 } }, resources: [] },
    ],
    ['no base URL', { client: {}, resources: [] }],
    ['no resources', { client: { base_url: 'https://x' } }],
    ['a number for a path', { client: { base_url: 'https://x' }, resources: [{ name: 'a', endpoint: { path: 1 } }] }],
    [
      'a method in small letters',
      { client: { base_url: 'https://x' }, resources: [{ name: 'a', endpoint: { method: 'get' } }] },
    ],
  ])('refuses %s', (_what, file) => {
    expect(validate(file)).toBe(false)
  })
})
