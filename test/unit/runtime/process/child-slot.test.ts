import assert from 'node:assert/strict'
import { ChildProcess, type fork } from 'node:child_process'
import { mock, test } from 'node:test'
import { CHILD_RESTART_MS } from '../../../../src/domain/limits.ts'
import { createLog } from '../../../../src/runtime/output/log.ts'
import { ChildSlot } from '../../../../src/runtime/process/child-slot.ts'

test('a child that cannot be started, because there are no descriptors or no memory, is tried again with growing pauses', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.after(() => mock.timers.reset())
  let tries = 0
  const fails: typeof fork = () => {
    tries += 1
    if (tries % 2 === 0) throw Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM' })
    const child = new ChildProcess()
    setImmediate(() => child.emit('error', Object.assign(new Error('spawn EMFILE'), { code: 'EMFILE' })))
    return child
  }
  const slot = new ChildSlot({
    name: 'prober-1',
    modulePath: 'none',
    args: [],
    env: {},
    log: createLog({ level: 'silent', process: 'test' }),
    fork: fails,
  })
  slot.start()
  assert.equal(tries, 1)
  assert.equal(slot.pid, undefined)
  mock.timers.tick(CHILD_RESTART_MS.min)
  assert.equal(tries, 2)
  mock.timers.tick(CHILD_RESTART_MS.min)
  assert.equal(tries, 2, 'the second pause is longer')
  mock.timers.tick(CHILD_RESTART_MS.min)
  assert.equal(tries, 3)
  slot.destroy()
  mock.timers.tick(CHILD_RESTART_MS.max)
  assert.equal(tries, 3)
})
