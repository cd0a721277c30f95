import assert from 'node:assert/strict'
import { decimal } from '../../schema/index.ts'
import { Bench, type ConformanceCase } from './bench.ts'

/** What is loaded is what is read. */
export const values = [
  {
    title: 'every type comes back as it was',
    async run(target) {
      const bench = new Bench(target)
      const row = {
        id: 1,
        text: 'x',
        big: 2n ** 62n,
        huge: 2n ** 90n,
        double: 1.5e-7,
        decimal: decimal('12345678901234567890.123456789'),
        yes: true,
        at: '2024-02-29T10:30:00.123456Z',
        day: '2024-02-29',
        time: '10:30:00.5',
        bytes: Buffer.from([0, 1, 255, 34]),
        json: { a: [1, { b: 'x"\\' }] },
      }
      const columns = { day: { dataType: 'date' }, time: { dataType: 'time' }, json: { dataType: 'json' } } as const
      await bench.load([row, { id: 2 }], { columns })
      const [first, second] = await bench.rows()
      const { json, ...others } = first!
      const asText = { big: String(row.big), huge: String(row.huge), decimal: row.decimal.text }
      const { json: _, ...given } = row
      assert.deepEqual(others, { ...given, ...asText })
      assert.deepEqual(JSON.parse(String(json)), row.json)
      assert.ok(Object.entries(second!).every(([name, value]) => name === 'id' || value === null))
    },
  },
  {
    title: 'hostile text survives; NUL is kept, or replaced and told',
    async run(target) {
      const bench = new Bench(target)
      const texts = [
        '"',
        '',
        'a,b',
        'line\nbreak\r\n',
        '\\N',
        '\\.',
        'NULL',
        "'; DROP TABLE t; --",
        '🙏 𝒳 \u2028',
        'x'.repeat(200_000),
        '=1+1',
      ]
      await bench.load([{ id: 0, v: 'text' }, ...texts.map((v, at) => ({ id: at + 1, v }))])
      assert.deepEqual(
        (await bench.rows()).slice(1).map((row) => row.v),
        texts,
      )
      const notices: string[] = []
      bench.pipeline.on((event) => {
        if (event.type === 'notice') notices.push(event.notice.kind)
      })
      await bench.load([{ id: 1, v: 'a\0b', w: 'no \\u0000 here', j: { k: 'c\0\\u0000d' } }], {
        tableName: 'nul',
        columns: { j: { dataType: 'json' } },
      })
      const [row] = await bench.rows('nul')
      const { takesNul } = target.destination.capabilities.text
      assert.equal(row!.v, takesNul ? 'a\0b' : 'a\ufffdb')
      assert.equal(row!.w, 'no \\u0000 here')
      assert.equal(JSON.parse(String(row!.j)).k, takesNul ? 'c\0\\u0000d' : 'c\ufffd\\u0000d')
      assert.deepEqual(notices, takesNul ? [] : ['character-replaced'])
    },
  },
  {
    title: 'columns and types grow without losing a value',
    async run(target) {
      const bench = new Bench(target)
      const date = { day: { dataType: 'date' } } as const
      await bench.load([{ id: 1, n: 1, h: 1, d: decimal('1.5'), day: '2025-01-01' }], { columns: date })
      await bench.load([
        { id: 2, n: 1.5, h: 2n ** 80n, d: decimal('0.123456789012'), day: '2025-01-02T10:00:00Z', late: 'x', l: [1] },
      ])
      await bench.load([{ id: 3, n: 'text' }])
      const rows = await bench.rows()
      assert.deepEqual(
        rows.map((row) => row.n),
        [1, 1.5, null],
      )
      assert.deepEqual(
        rows.map((row) => row.n__v_text),
        [null, null, 'text'],
      )
      assert.deepEqual(
        rows
          .map((row) => row.h)
          .slice(0, 2)
          .map(String),
        ['1', String(2n ** 80n)],
      )
      assert.deepEqual(rows.map((row) => Number(row.d)).slice(0, 2), [1.5, 0.123456789012])
      assert.deepEqual(rows.map((row) => row.day).slice(0, 2), ['2025-01-01T00:00:00.000Z', '2025-01-02T10:00:00.000Z'])
      assert.deepEqual(
        rows.map((row) => row.late),
        [null, 'x', null],
      )
    },
  },
] as const satisfies readonly ConformanceCase[]
