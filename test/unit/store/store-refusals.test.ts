import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isStoreAway, storeRefusal } from '../../../src/store/connection/database.ts'

const driverError = (code: string, message = 'from the driver') => Object.assign(new Error(message), { code })

test('only what says that PostgreSQL is away is STORE_UNAVAILABLE: no connection, no room for one, too slow', () => {
  const away = ['ECONNREFUSED', 'EMFILE', '08006', '57P01', '53300', '25006', '57014']
  for (const code of away) {
    assert.equal(isStoreAway(driverError(code)), true, code)
    assert.equal(storeRefusal(driverError(code))?.code, 'STORE_UNAVAILABLE', code)
  }
  const either = new AggregateError([driverError('42601'), driverError('ECONNREFUSED')])
  assert.equal(isStoreAway(either), true, 'one of several addresses')
  assert.equal(isStoreAway(new AggregateError([driverError('42601')])), false)
  assert.equal(isStoreAway(new Error('Connection terminated unexpectedly')), true)
  for (const other of [driverError('42601'), new Error('a mistake'), 'a text', undefined, null]) {
    assert.equal(isStoreAway(other), false)
  }
})

test('what another transaction is in the way of is a CONFLICT, and a mistake of ours is no refusal', () => {
  for (const code of ['40001', '40P01', '55P03']) {
    assert.equal(storeRefusal(driverError(code))?.code, 'CONFLICT', code)
  }
  for (const mistake of [driverError('42601'), driverError('23514'), new Error('a mistake'), 'a text']) {
    assert.equal(storeRefusal(mistake), undefined)
  }
})
