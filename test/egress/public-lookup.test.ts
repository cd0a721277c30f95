import { expect, it } from 'vitest'
import { isPublicAddress } from '../../src/egress/addresses.ts'
import { publicLookup, refusePrivate } from '../../src/egress/public-lookup.ts'
import { effort } from '../support/effort.ts'
import { randomFrom } from '../support/seed.ts'

const random = randomFrom()
const oneOf = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
const addresses = [
  '8.8.8.8',
  '2606:4700::1',
  '127.0.0.1',
  '10.0.0.1',
  '::1',
  '::ffff:10.0.0.1',
  '64:ff9b::7f00:1',
  '192.0.0.1',
  '::',
]
const isHere = (address: string): boolean => ['127.0.0.1', '::1'].includes(address)

it('a name leads to checked addresses only, and to those that were checked', async () => {
  for (let round = 0; round < effort(500, 20_000); round++) {
    const leadsTo = Array.from({ length: 1 + Math.floor(random() * 3) }, () => oneOf(addresses))
    const name = oneOf(['api.test', 'localhost', 'a.localhost', 'intranet.test', 'localhost.test'])
    let asked = 0
    const lookup = publicLookup(
      (host) => host === 'intranet.test',
      (_name, _options, callback) => {
        asked++
        callback(
          null,
          leadsTo.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        )
      },
    )
    const all = random() < 0.5
    const [error, found] = await new Promise<[Error | null, unknown]>((resolve) =>
      lookup(name, { all }, (failed, result) => resolve([failed, result])),
    )
    const may = (address: string): boolean =>
      name === 'intranet.test' || (/^(a\.)?localhost$/.test(name) ? isHere(address) : isPublicAddress(address))
    const what = `${name} ${leadsTo.join(' ')}`
    if (!leadsTo.every(may)) expect(error, what).toMatchObject({ code: 'HOST_NOT_ALLOWED' })
    else if (all)
      expect(
        (found as { address: string }[]).map(({ address }) => address),
        what,
      ).toEqual(leadsTo)
    else expect(found, what).toBe(leadsTo[0])
    expect(asked).toBe(1)
  }
})

it('tells a name that does not exist from one that must not be asked', async () => {
  const lookup = publicLookup(
    () => false,
    (_name, _options, callback) => callback(Object.assign(new Error('none'), { code: 'ENOTFOUND' }), []),
  )
  const error = await new Promise((resolve) => lookup('none.test', {}, (failed) => resolve(failed)))
  expect(error).toMatchObject({ code: 'ENOTFOUND' })
  await expect(refusePrivate('none.invalid', false)).resolves.toBeUndefined()
  await expect(refusePrivate('none.invalid', true)).rejects.toMatchObject({ code: 'HOST_NOT_ALLOWED' })
  for (const host of ['10.0.0.1', '[fe80::1]', '2852039166', '[64:ff9b::a00:1]', ''])
    await expect(refusePrivate(host, false), host).rejects.toMatchObject({ code: 'HOST_NOT_ALLOWED' })
  await expect(refusePrivate('localhost', false)).resolves.toBeUndefined()
})
