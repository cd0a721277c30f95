/** @module-tag engine */
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { lintSource, loadSourceFile, readSourceSpec } from '../../src/sources/rest/index.ts'
import { draftSource, readDocument, sourceFileText, type Draft } from '../../src/sources/rest/openapi/index.ts'
import { effort, oneIn } from '../support/effort.ts'
import { fetchDescriptions } from './install.ts'

let found: ReturnType<typeof fetchDescriptions>
beforeAll(() => {
  found = fetchDescriptions()
}, 300_000)

const folder = mkdtempSync(join(tmpdir(), 'sluice-descriptions-'))

/** Drafts a source, writes it, and loads what was written. */
async function drafted(place: string): Promise<Draft> {
  const draft = draftSource(await readDocument(place))
  const path = join(folder, 'x.source.yaml')
  writeFileSync(path, sourceFileText(draft))
  expect(loadSourceFile(path).resources).toHaveLength(draft.resources.length)
  const errors = lintSource(readSourceSpec(path)).filter(({ level }) => level === 'error')
  expect(errors, place).toEqual([])
  return draft
}

describe('sources from published descriptions', () => {
  it('GitHub: issues below a repository, by Link headers, by id', async () => {
    const { resources, baseUrl } = await drafted(found.github)
    expect(baseUrl).toBe('https://api.github.com')
    expect(resources.length).toBeGreaterThan(300)
    const issues = resources.find(({ endpoint }) => endpoint.path === 'repos/{owner}/{repo}/issues')
    expect(issues).toMatchObject({
      primaryKey: 'id',
      needs: ['owner', 'repo'],
      endpoint: { paginator: { type: 'header_link' }, params: { per_page: 100 } },
    })
  }, 120_000)

  it('Stripe: charges by the id of the last row', async () => {
    const { resources, auth } = await drafted(join(found.directory, 'package', 'api', 'stripe.com.json'))
    expect(auth).toMatchObject({ type: 'bearer' })
    expect(resources.find(({ name }) => name === 'charges')).toMatchObject({
      primaryKey: 'id',
      endpoint: {
        path: 'v1/charges',
        data_selector: 'data',
        paginator: {
          type: 'cursor',
          cursor_path: 'data[-1].id',
          cursor_param: 'starting_after',
          has_more_path: 'has_more',
        },
      },
    })
  })

  it('all others: every file that is written loads, and has no error', async () => {
    const root = join(found.directory, 'package', 'api')
    const files = readdirSync(root, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.json'))
    const drawn = oneIn(5, files)
    let resources = 0
    for (const name of drawn) resources += (await drafted(join(root, name))).resources.length
    expect(files.length).toBeGreaterThan(1000)
    expect(resources).toBeGreaterThan(effort(4 * drawn.length, 10_000))
  }, 600_000)
})
