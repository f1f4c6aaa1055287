/** A text is given for exactly the version that was rendered, for a bounded time, within the share of its project. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RenderedRows } from '../../../src/api/http/rendered-rows.ts'
import {
  RENDERED_ROW_AGE_MS,
  RENDERED_ROWS_KEPT_MS,
  RENDERED_ROWS_MAX_BYTES,
} from '../../../src/domain/limits.ts'

const elb = () => ({})
const octavia = () => ({})
const ROW = { id: 'a', version: '1' }
const BY = { sharer: 'p', bytes: 2 }

function rowsAt() {
  const clock = { now: 0 }
  return { clock, rows: new RenderedRows(() => clock.now) }
}

test('another version, another object and another dialect have no text', () => {
  const { rows } = rowsAt()
  rows.keep(elb, ROW, '{}', BY)
  assert.equal(rows.find(elb, ROW), '{}')
  assert.equal(rows.find(elb, { ...ROW, version: '2' }), undefined)
  assert.equal(rows.find(elb, { ...ROW, id: 'b' }), undefined)
  assert.equal(rows.find(octavia, ROW), undefined)
})

test('a newer version takes the place of an older one, whenever that was kept', () => {
  const { clock, rows } = rowsAt()
  const newer = { ...ROW, version: '2' }
  rows.keep(elb, ROW, 'old', BY)
  clock.now = RENDERED_ROWS_KEPT_MS
  rows.keep(elb, newer, 'new', BY)
  assert.equal(rows.find(elb, newer), 'new')
})

test('a text is kept for one turn at least, and for two at most when nobody asks for it', () => {
  for (const keptAt of [0, RENDERED_ROWS_KEPT_MS - 1]) {
    const { clock, rows } = rowsAt()
    clock.now = keptAt
    rows.keep(elb, ROW, '{}', BY)
    rows.keep(elb, { ...ROW, id: 'asked' }, '{}', BY)
    clock.now = keptAt + RENDERED_ROWS_KEPT_MS
    assert.equal(rows.find(elb, { ...ROW, id: 'asked' }), '{}')
    clock.now = keptAt + 2 * RENDERED_ROWS_KEPT_MS
    assert.equal(rows.find(elb, ROW), undefined)
  }
  const { clock, rows } = rowsAt()
  rows.keep(elb, ROW, '{}', BY)
  clock.now = 10 * RENDERED_ROWS_KEPT_MS
  assert.equal(rows.find(elb, ROW), undefined)
})

test('a text that is asked for in each turn stays until its age, and then is rendered again', () => {
  const { clock, rows } = rowsAt()
  rows.keep(elb, ROW, '{}', BY)
  for (; clock.now < RENDERED_ROW_AGE_MS; clock.now += RENDERED_ROWS_KEPT_MS)
    assert.equal(rows.find(elb, ROW), '{}', `after ${clock.now} ms`)
  assert.equal(rows.find(elb, ROW), undefined)
  rows.keep(elb, ROW, 'again', BY)
  assert.equal(rows.find(elb, ROW), 'again')
})

test('what is asked for again takes room of its project, and no more than its share', () => {
  const { clock, rows } = rowsAt()
  const large = { sharer: 'p', bytes: RENDERED_ROWS_MAX_BYTES / 20 }
  const ofTurn = (turn: number) =>
    Array.from({ length: 20 }, (_, i) => ({ id: `${turn} ${i}`, version: '1' }))
  for (const row of ofTurn(0)) rows.keep(elb, row, 'text', large)
  clock.now = RENDERED_ROWS_KEPT_MS
  const stayed = ofTurn(0).filter((row) => rows.find(elb, row) !== undefined)
  assert.ok(stayed.length >= 5 && stayed.length < 10, String(stayed.length))
  const added = ofTurn(1).filter((row) => {
    rows.keep(elb, row, 'text', large)
    return rows.find(elb, row) !== undefined
  })
  assert.deepEqual(added, [], 'the room is taken')
  rows.keep(elb, ROW, '{}', { ...large, sharer: 'another' })
  assert.equal(rows.find(elb, ROW), '{}')
})

test('a project keeps its share and leaves room for the next; a turn gives all of it back', () => {
  const { clock, rows } = rowsAt()
  const large = { sharer: 'p', bytes: RENDERED_ROWS_MAX_BYTES / 20 }
  const kept = Array.from({ length: 20 }, (_, i) => ({ id: `large ${i}`, version: '1' })).filter((row) => {
    rows.keep(elb, row, 'text', large)
    return rows.find(elb, row) !== undefined
  })
  assert.ok(kept.length >= 5 && kept.length < 10, String(kept.length))
  rows.keep(elb, ROW, '{}', { ...large, sharer: 'another' })
  assert.equal(rows.find(elb, ROW), '{}')
  clock.now = RENDERED_ROWS_KEPT_MS
  const again = { id: 'after the turn', version: '1' }
  rows.keep(elb, again, 'text', large)
  assert.equal(rows.find(elb, again), 'text')
})
