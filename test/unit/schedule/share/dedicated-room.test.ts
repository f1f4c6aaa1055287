import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEDICATED_IN_FLIGHT_MAX, SHARE_PER_FREE } from '../../../../src/domain/limits.ts'
import { DedicatedRoom } from '../../../../src/schedule/share/dedicated-room.ts'

/** How many probes get room before one does not. */
function filled(room: DedicatedRoom, project: { dedicated: number }): number {
  let taken = 0
  while (room.take(project)) taken++
  return taken
}

test('a project alone has four fifths of the room, and whoever comes next always has some', () => {
  const room = new DedicatedRoom()
  const hog = { dedicated: 0 }
  const most = (DEDICATED_IN_FLIGHT_MAX * SHARE_PER_FREE) / (SHARE_PER_FREE + 1)
  assert.equal(filled(room, hog), Math.ceil(most))
  const others = Array.from({ length: 10 }, () => ({ dedicated: 0 }))
  for (const other of others) assert.equal(room.take(other), true)
  assert.equal(filled(room, others[0] ?? hog) > 0, true)
})

test('all projects together have no more than there is, and what is given back is there again', () => {
  const room = new DedicatedRoom()
  const projects = Array.from({ length: DEDICATED_IN_FLIGHT_MAX + 10 }, () => ({ dedicated: 0 }))
  for (const project of projects) filled(room, project)
  const held = projects.reduce((sum, { dedicated }) => sum + dedicated, 0)
  assert.equal(held, DEDICATED_IN_FLIGHT_MAX)
  const [first, last] = [projects[0], projects.at(-1)]
  assert.ok(first && last)
  assert.equal(room.take(last), false)
  room.giveBack(first)
  assert.equal(room.take(last), true)
  assert.equal(room.take(last), false)
})
