/** Packages that a destination refused: why, which row, and what can be done with them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { LoadRefused, pipeline, resource, source, type Pipeline } from '../../src/index.ts'
import { violations } from '../support/accessibility.ts'
import { browserBench } from '../support/browser.ts'
import { faultyDuckdb, type Fault } from '../support/faulty-duckdb.ts'

const bench = browserBench()
const bodyText = (page: Page): Promise<string> => page.locator('body').innerText()
const shows = (page: Page, text: string | RegExp) => expect.poll(() => bodyText(page)).toMatch(text)

/** `npm run docs:dashboard` keeps a picture for the documentation. */
const pictures = join(import.meta.dirname, '../../docs/images/dashboard')

const name = '<b>"Rosa", said Mr. Ohm</b>'
const orders = Array.from({ length: 3 }, (_, at) => ({
  id: at + 1,
  name,
  total: -12,
  note: null,
  items: [{ sku: 'A-17' }, { sku: 'A-18' }],
}))
const shop = () =>
  source('shop', [
    resource(
      'customers',
      Array.from({ length: 40 }, (_, id) => ({ id })),
    ),
    resource('orders', orders),
  ])

/** A pipeline with two packages that were set aside. */
async function refusedTwice(): Promise<Pipeline> {
  const fault: { now: Fault | undefined } = { now: undefined }
  const destination = faultyDuckdb(join(process.cwd(), 'shop.duckdb'), fault)
  const target = pipeline({ name: 'shop', dataset: 'shop_data', destination })
  await target.run(shop().withResources('customers'))
  for (let run = 0; run < 2; run++) {
    fault.now = { table: 'orders', kind: 'refuses', from: 1 }
    await expect(target.run(shop())).rejects.toThrow(LoadRefused)
  }
  fault.now = undefined
  return target
}

it('shows failed packages with reason and row, retries one, and discards none before it is asked twice', async () => {
  const target = await refusedTwice()
  const [older, newer] = target.failedPackages().map(({ manifest }) => manifest.loadId)
  await pipeline({ name: 'other', dataset: 'other' }).run([{ id: 1 }], { tableName: 't' })
  const home = await bench.visit('/')
  await shows(home.page, 'shop failed')
  await shows(home.page, /shop\n2 packages set aside/)

  const { page, complaints } = await bench.visit('/p/shop')
  await shows(page, '2 packages set aside')
  const newest = page.getByRole('article', { name: `package ${newer}` })
  await expect.poll(() => newest.innerText()).toMatch(/9 rows of orders, orders__items/)
  const told = await newest.innerText()
  expect(told).toContain('CHECK constraint failed')
  expect(told).toMatch(/table orders · line 1/)
  expect(told).toContain('correct the rows, or drop the constraint')
  await newest.getByRole('button', { name: 'The refused row' }).click()
  await shows(page, name)
  expect(await newest.getByRole('definition').allInnerTexts()).toContain('-12')
  expect(await violations(page)).toEqual([])
  if (process.env.DASHBOARD_PICTURES !== undefined) {
    mkdirSync(pictures, { recursive: true })
    await page.mouse.move(640, 790)
    await page.screenshot({ path: join(pictures, 'failed-packages.png') })
  }

  // Foreign pages discard nothing, and neither does one click.
  const discard = (headers: Record<string, string>) =>
    fetch(new URL('/api/pipelines/shop/actions/discard-failed-package', bench.dashboard.url()), {
      method: 'POST',
      headers,
      body: JSON.stringify({ loadId: older }),
    })
  const token = new URL(bench.dashboard.url()).hash.slice(1)
  expect((await discard({})).status).toBe(403)
  expect((await discard({ authorization: `Bearer ${token}`, origin: 'http://evil.example' })).status).toBe(403)
  await page
    .getByRole('article', { name: `package ${older}` })
    .getByRole('button', { name: 'Discard' })
    .click()
  const confirm = page.getByRole('dialog').getByRole('button', { name: 'Discard the package' })
  expect(await confirm.isDisabled()).toBe(true)
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  expect(target.failedPackages()).toHaveLength(2)

  await page
    .getByRole('article', { name: `package ${older}` })
    .getByRole('button', { name: 'Discard' })
    .click()
  await page.getByRole('dialog').getByRole('textbox').fill('shop')
  await confirm.click()
  await shows(page, 'Done: discard the package.')
  await shows(page, '1 package set aside')
  expect(target.failedPackages().map(({ manifest }) => manifest.loadId)).toEqual([newer])

  await newest.getByRole('button', { name: 'Retry' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Load the package after all' }).click()
  await expect.poll(() => target.failedPackages()).toEqual([])
  await expect.poll(() => bodyText(page)).not.toContain('set aside')
  expect(await target.dataset().table('orders').count()).toBe(3)

  // The run keeps its record.
  const run = await bench.visit(`/p/shop/runs/${target.runs()[0]!.id}`)
  await shows(run.page, /orders tables orders, orders__items; package [\d.]+\s+destination "duckdb": Constraint Error/)
  await shows(run.page, new RegExp(`${newer}\\s+set aside`))
  expect([...home.complaints, ...complaints, ...run.complaints]).toEqual([])
}, 120_000)
