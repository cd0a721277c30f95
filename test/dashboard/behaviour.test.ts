/** How the dashboard behaves: live runs, hostile data, two windows, a million rows, keys, actions. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { Page } from 'playwright-core'
import { expect, it, onTestFinished } from 'vitest'
import { pipeline } from '../../src/index.ts'
import { ScheduleStore } from '../../src/jobs/schedule-store.ts'
import { browserBench, writeSql } from '../support/browser.ts'
import { openShop, shopKey } from './shop.ts'

const bench = browserBench()

const bodyText = (page: Page): Promise<string> => page.locator('body').innerText()
const shows = (page: Page, text: string | RegExp) => expect.poll(() => bodyText(page)).toMatch(text)

const library = JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)
const shopModule = JSON.stringify(new URL('./shop.ts', import.meta.url).href)

it(
  'shows a run while it goes on, and its rows while they are written',
  { tags: ['slow'], timeout: 60_000 },
  async () => {
    const shop = await openShop()
    onTestFinished(() => shop.close())
    shop.orders = 3000
    shop.slowMs = 200
    const program = join(process.cwd(), 'live.ts')
    // A package every 500 rows: their file is written again and again while it is looked at.
    writeFileSync(
      program,
      `import { pipeline } from ${library}
     import { shopSource } from ${shopModule}
     const live = pipeline({ name: 'live', dataset: 'live_data', package: { maxBytes: 40_000 } })
     await live.run(shopSource(${JSON.stringify(shop.url)}))`,
    )
    const env = { ...process.env, SOURCES__SHOP__API_KEY: shopKey }
    const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'inherit', 'inherit'] })
    const exited = once(child, 'exit')
    const home = await bench.visit('/')
    await shows(home.page, /1 at work/)
    await home.page.getByRole('link', { name: 'live', exact: true }).first().click()
    await home.page.locator('.last-run').click()
    await shows(home.page, /running \d of 3 resources read/)
    const rows = async (): Promise<number> =>
      Number(/(\d[\d,]*) rows, \d+ pages/.exec(await bodyText(home.page))?.[1]?.replaceAll(',', '') ?? 0)
    const before = await rows()
    await expect.poll(rows).toBeGreaterThan(before)
    // The file is locked by the run, and is looked at all the same.
    const data = await bench.visit('/p/live/data/orders')
    await shows(data.page, /\d rows/)
    await shows(data.page, 'paid')
    expect(child.exitCode).toBe(null)
    expect((await exited)[0]).toBe(0)
    await shows(home.page, /done 3 resources/)
    await data.page.reload()
    await shows(data.page, /3,000 rows/)
    expect([...home.complaints, ...data.complaints]).toEqual([])
  },
)

it('shows what runs when, what is late, and that nobody runs it', async () => {
  await pipeline({ name: 'scheduled', dataset: 'scheduled' }).run([{ id: 1 }], { tableName: 't' })
  const file = join(process.cwd(), 'sluice.jobs.ts')
  writeFileSync(file, '')
  const store = new ScheduleStore(file)
  const hour = 3_600_000
  const moment = (hours: number): string => new Date(Date.now() + hours * hour).toISOString()
  const jobs = [
    { job: 'fine', trigger: 'every 1h', status: 'success' as const, at: moment(-0.5), nextAt: moment(0.5) },
    {
      job: 'broken',
      trigger: '0 * * * *',
      status: 'failure' as const,
      at: moment(-0.2),
      error: '<b>no luck</b>',
      nextAt: moment(0.8),
    },
    { job: 'asleep', trigger: 'every 1h', status: 'never ran' as const, nextAt: moment(-2) },
  ]
  store.writeSummary(file, jobs)
  const { page, complaints } = await bench.visit('/')
  await shows(page, /Schedule\n/)
  await shows(page, /broken\n<b>no luck<\/b>/)
  // This test is the process that wrote it; then another one, which is gone.
  const path = join(store.folder, 'summary.json')
  writeFileSync(path, readFileSync(path, 'utf8').replace(/"pid": \d+/, '"pid": 999999999'))
  await page.reload()
  await shows(page, 'Schedule: 1 job is late, and nobody runs it')
  await shows(page, /asleep\nlate, due 2 hours ago|asleep\nlate, due 2 h ago/)
  const names = await page.locator('section tbody tr td:first-child').allInnerTexts()
  expect(names.map((text) => /\w+/.exec(text)![0])).toEqual(['asleep', 'broken', 'fine'])
  expect(complaints).toEqual([])
}, 60_000)

it('shows what a hostile API sends, and does nothing that it says', async () => {
  const attack = '<img src=x onerror="window.attacked=1"><script>window.attacked=1</script>'
  const target = pipeline({ name: 'hostile', dataset: 'hostile_data' })
  await target.run(
    [
      {
        id: 1,
        html: attack,
        [`<b onclick=alert(1)>${'k'.repeat(80)}`]: 'key',
        link: 'javascript:window.attacked=1',
        controls: 'a\u0000b\u001b[31mc\u202Ereversed',
        long: 'x'.repeat(1_000_000),
        __proto__: 'p',
        ['constructor' as string]: { prototype: 1 },
        nested: [{ html: attack }],
      },
      { id: 2, html: '', link: null, long: '𝕏'.repeat(3000) },
    ] as object[],
    { tableName: '<script>window.attacked=1</script>' },
  )
  // What it sent stands in the error too.
  await expect(
    target.run([{ id: 'no number', html: attack }] as object[], {
      tableName: 'orders',
      schemaContract: { columns: 'freeze' } as never,
      columns: { id: { dataType: 'bigint', nullable: false } },
    }),
  ).rejects.toMatchObject({ code: 'NULL_NOT_ALLOWED' })
  const tables = [...(await target.dataset().tables()).keys()]
  const { page, complaints } = await bench.visit('/p/hostile')
  await shows(page, tables[0]!)
  for (const table of tables) {
    await page.goto(bench.dashboard.url(`/p/hostile/data/${encodeURIComponent(table)}`))
    await shows(page, /\d rows?/)
    await expect.poll(() => page.locator('.grid-row').count()).toBeGreaterThan(0)
    for (const cell of await page.locator('.grid-row').first().locator('.grid-cell').all()) {
      if (!((await cell.innerText()).trim() === 'null' || (await cell.locator('a').count()) > 0)) {
        await cell.click()
        await page.locator('.details').waitFor()
      }
    }
    await page.locator('.grid-title button').first().click()
    await shows(page, 'Distinct')
  }
  for (const path of [
    'schema',
    'schema/changes',
    'runs',
    'state',
    'packages',
    'requests',
    'nothing',
    'data/%3Cimg%20src%3Dx%3E',
    'runs/%3Cb%3E',
  ]) {
    await page.goto(bench.dashboard.url(`/p/hostile/${path}`))
    await page.waitForTimeout(150)
  }
  expect(await page.evaluate('window.attacked')).toBe(undefined)
  // The two pages that are not there are told by the server as an error.
  expect(complaints.filter((text) => !/runs\/%3Cb%3E|is no run|there is no run/.test(text))).toEqual([])
})

it('two windows look at different things at once', { tags: ['slow'] }, async () => {
  const target = pipeline({ name: 'pair', dataset: 'pair_data' })
  await target.run(
    Array.from({ length: 50 }, (_, id) => ({ id })),
    { tableName: 'numbers' },
  )
  const visits = await Promise.all([bench.visit('/p/pair/sql'), bench.visit('/p/pair/sql')])
  const sums = ['select sum(range) as total from range(30000000)', 'select count(*) as total from pair_data.numbers']
  await Promise.all(
    visits.map(async ({ page }, at) => {
      await writeSql(page, sums[at]!)
      await page.keyboard.press('Control+Enter')
    }),
  )
  await shows(visits[0]!.page, '449999985000000')
  await expect.poll(() => visits[1]!.page.locator('.grid-cell').first().innerText()).toBe('50')
  const [download] = await Promise.all([
    visits[1]!.page.waitForEvent('download'),
    visits[1]!.page.getByRole('button', { name: 'CSV' }).click(),
  ])
  expect(readFileSync(await download.path(), 'utf8')).toBe('"total"\n50\n')
  // A wrong query leaves the result before it where it is.
  const { page } = visits[1]!
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+A')
  await page.keyboard.insertText('select nothing from nowhere')
  await page.keyboard.press('Control+Enter')
  await shows(page, 'QUERY_FAILED')
  expect(await page.locator('.grid-row').count()).toBe(1)
  await page.getByLabel('Earlier queries').selectOption({ index: 1 })
  await shows(page, 'pair_data.numbers')
})

it('goes through a million rows, with as few of them in the page as can be seen', { tags: ['slow'] }, async () => {
  const target = pipeline({ name: 'large', dataset: 'large_data' })
  await target.run([{ id: -1 }], { tableName: 'numbers' })
  const instance = await DuckDBInstance.create(join(process.cwd(), 'large.duckdb'))
  const connection = await instance.connect()
  await connection.run(`insert into large_data.numbers select range, 'load', 'id ' || range from range(999999)`)
  connection.closeSync()
  instance.closeSync()
  const { page, complaints } = await bench.visit('/p/large/data/numbers')
  await shows(page, '1,000,000 rows')
  const grid = page.getByRole('grid')
  await grid.focus()
  const firstShown = async (): Promise<number> =>
    Number((await page.locator('.grid-row .grid-number').first().innerText()).replaceAll(',', ''))
  await page.keyboard.press('End')
  await shows(page, /1,000,000\s+999998/)
  await page.keyboard.press('Home')
  await shows(page, /\b1\s+-1\b/)
  await page.keyboard.press('PageDown')
  await expect.poll(firstShown).toBeGreaterThan(10)
  const afterPage = await firstShown()
  expect(afterPage).toBeLessThan(40)
  // The wheel goes row by row, though the bar stands for more.
  await grid.hover()
  await page.mouse.wheel(0, 280)
  await expect.poll(firstShown).toBe(afterPage + 10)
  // Somewhere in the middle, as when the bar is dragged.
  await page.evaluate(`document.querySelector('.grid').scrollTop = document.querySelector('.grid').scrollHeight / 2`)
  await expect.poll(firstShown).toBeGreaterThan(490_000)
  await expect.poll(() => page.locator('.grid-row .absent').count()).toBe(0)
  const at = await firstShown()
  expect(await page.locator('.grid-row').first().innerText()).toContain(String(at - 2))
  expect(await page.locator('.grid-row').count()).toBeLessThan(60)
  // Sorted by the database, not by the page.
  await page.getByRole('button', { name: 'sort by id' }).click()
  await page.getByRole('button', { name: 'sort by id' }).click()
  await shows(page, /\b1\s+999998\b/)
  expect(new URL(page.url()).searchParams.get('order')).toBe('id.desc')
  expect(complaints).toEqual([])
})

it('is driven by keys, and every view has an address', async () => {
  const target = pipeline({ name: 'keyed', dataset: 'keyed_data' })
  await target.run(
    Array.from({ length: 50 }, (_, id) => ({ id })),
    { tableName: 'numbers' },
  )
  const { page } = await bench.visit('/')
  await shows(page, 'keyed')
  await page.keyboard.press('/')
  await page.keyboard.type('keye')
  await page.keyboard.press('Enter')
  await shows(page, 'Rows by run')
  expect(new URL(page.url()).pathname).toBe('/p/keyed')
  for (const [key, path] of [
    ['r', '/p/keyed/runs'],
    ['d', '/p/keyed/data'],
    ['s', '/p/keyed/schema'],
    ['t', '/p/keyed/state'],
    ['p', '/p/keyed/packages'],
    ['a', '/p/keyed/requests'],
    ['o', '/p/keyed'],
  ] as const) {
    await page.keyboard.press('g')
    await page.keyboard.press(key)
    await expect.poll(() => new URL(page.url()).pathname).toBe(path)
  }
  await page.keyboard.press('/')
  await page.keyboard.type('numb')
  await page.getByRole('button', { name: /numbers table/ }).waitFor()
  await page.keyboard.press('Enter')
  await expect.poll(() => new URL(page.url()).pathname).toBe('/p/keyed/data/numbers')
  await page.locator('.grid-title button').first().click()
  await page.locator('.details').waitFor()
  await page.keyboard.press('Escape')
  await page.locator('.details').waitFor({ state: 'detached' })
  await page.keyboard.press('Escape')
  await expect.poll(() => new URL(page.url()).pathname).toBe('/p/keyed/data')
  await page.goBack()
  await shows(page, '50 rows')
  // The token is not left in the address.
  expect(page.url()).not.toContain('#')
})

it('a table that a run left empty is red beside the run before, and told of the run', async () => {
  const emptied = pipeline({ name: 'emptied', dataset: 'emptied_data' })
  for (const rows of [[{ id: 1 }, { id: 2 }], []]) {
    await emptied.run(rows, { tableName: 'things', writeDisposition: 'replace', allowEmpty: true })
  }
  const [after, before] = emptied.runs()
  const { page, complaints } = await bench.visit(`/p/emptied/compare/${before!.id}/${after!.id}`)
  await shows(page, /things\s+2\s+0\s+emptied/)
  expect(await page.locator('td.failed').allInnerTexts()).toEqual(['emptied'])
  const run = await bench.visit(`/p/emptied/runs/${after!.id}`)
  await shows(run.page, 'things had rows and was left empty')
  expect([...complaints, ...run.complaints]).toEqual([])
})

it('without its token there is nothing to see', async () => {
  const context = await bench.browser.newContext()
  const page = await context.newPage()
  await page.goto(bench.dashboard.url('/').replace(/#.*/, ''))
  await shows(page, 'open the link that the terminal shows')
  await context.close()
})

it('runs a pipeline again, and drops nothing before it is asked twice', async () => {
  const program = join(process.cwd(), 'again.ts')
  writeFileSync(
    program,
    `import { pipeline } from ${library}
     await pipeline({ name: 'again', dataset: 'again_data' }).run([{ at: Date.now() }], { tableName: 'visits' })`,
  )
  await once(spawn(process.execPath, [program], { stdio: 'inherit' }), 'exit')
  const { page, complaints } = await bench.visit('/p/again')
  await shows(page, 'visits')
  await page.getByRole('button', { name: 'Run now' }).click()
  await expect.poll(() => pipeline({ name: 'again' }).runs().length).toBe(2)
  await page.goto(bench.dashboard.url('/p/again/runs'))
  await shows(page, '2 runs')
  await page.goto(bench.dashboard.url('/p/again'))
  await page.getByRole('button', { name: 'Drop all tables…' }).click()
  const drop = page.getByRole('dialog').getByRole('button', { name: 'Drop all tables' })
  expect(await drop.isDisabled()).toBe(true)
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  expect(await pipeline({ name: 'again', dataset: 'again_data' }).dataset().table('visits').count()).toBe(2)
  await page.getByRole('button', { name: 'Drop all tables…' }).click()
  await page.getByRole('dialog').getByRole('textbox').fill('again')
  await drop.click()
  await shows(page, 'Done: drop all tables.')
  expect([...(await pipeline({ name: 'again', dataset: 'again_data' }).dataset().tables()).keys()]).toEqual([])
  expect(complaints).toEqual([])
})
