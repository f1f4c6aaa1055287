/** Windows of ids: together they have every id beyond the marker once, in the order of the walk. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { collectBindings } from '../../../../src/store/connection/bindings.ts'
import { type IdWindow, idWindows } from '../../../../src/store/status/id-windows.ts'

const COMPARE: Readonly<Record<string, (a: string, b: string) => boolean>> = {
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
}

/** Evaluates the condition of a window as PostgreSQL does: in lower case, texts of ids are ordered as ids. */
function has(window: IdWindow, id: string): boolean {
  const { values, bind } = collectBindings()
  const condition = window.contains('id', bind)
  if (condition === 'true') return true
  return condition.split(' and ').every((term) => {
    const [, operator = '', place = ''] = /^id ([<>]=?) \$(\d)::uuid$/.exec(term) ?? []
    const compare = COMPARE[operator]
    assert.ok(compare !== undefined, condition)
    return compare(id, String(values[Number(place) - 1]))
  })
}

const anId = fc.uuid({ version: 4 })

test('each id beyond the marker is in one window, and in an earlier one than those that come later in the walk', () => {
  fc.assert(
    fc.property(
      fc.record({
        ids: fc.array(anId, { minLength: 1, maxLength: 30 }),
        marker: fc.option(anId, { nil: undefined }),
        isAscending: fc.boolean(),
        share: fc.double({ min: 1e-6, max: 2, noNaN: true }),
        pageSize: fc.integer({ min: 1, max: 5 }),
      }),
      ({ ids, marker, isAscending, share, pageSize }) => {
        const inOrder = [...new Set(ids)].sort((a, b) => (a < b === isAscending ? -1 : 1))
        const expected = inOrder.filter(
          (id) => marker === undefined || (isAscending ? id > marker : id < marker),
        )
        const windows = idWindows({ isAscending, marker, share })
        const walked: string[] = []
        for (let window = windows.next(), n = 0; window !== undefined; n++) {
          assert.ok(n < 200, 'the walk ends')
          const inside: string[] = inOrder.filter((id) => has(window as IdWindow, id)).slice(0, pageSize)
          walked.push(...inside)
          window = inside.length < pageSize ? windows.next() : windows.after(inside.at(-1) ?? '')
        }
        assert.deepEqual(walked, expected)
      },
    ),
  )
})

test('a first window that is as wide as all ids has them all', () => {
  const windows = idWindows({ isAscending: true, marker: undefined, share: 1 })
  const first = windows.next()
  assert.ok(first !== undefined && has(first, 'ffffffff-ffff-4fff-bfff-ffffffffffff'))
  assert.equal(windows.next(), undefined)
})
