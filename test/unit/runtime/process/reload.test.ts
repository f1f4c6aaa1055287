import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../../../src/runtime/output/log.ts'
import { Reload } from '../../../../src/runtime/process/reload.ts'

test('a part that cannot be read anew is logged as an error and does not stop the others', () => {
  const lines: Record<string, unknown>[] = []
  const log = createLog({
    level: 'info',
    process: 'test',
    destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  })
  const outcomes: boolean[] = []
  const reload = new Reload(log, (isSuccessful) => outcomes.push(isSuccessful))
  let isBroken = true
  reload.add('first', () => {
    if (isBroken) throw new Error('the key does not fit')
    return { fingerprint: 'AA' }
  })
  reload.add('second', () => ({ seen: true }))
  reload.run()
  isBroken = false
  reload.run()
  assert.deepEqual(
    lines.map(({ level, part, why, fingerprint }) => [level, part, why ?? fingerprint ?? null]),
    [
      ['error', 'first', 'the key does not fit'],
      ['info', 'second', null],
      ['info', 'first', 'AA'],
      ['info', 'second', null],
    ],
  )
  assert.deepEqual(outcomes, [false, true])
})
