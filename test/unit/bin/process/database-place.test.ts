import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databaseAddress, databasePlace } from '../../../../src/bin/process/database-place.ts'

test('the place of a database has its port also where the URL names none, and never who signs in', () => {
  assert.equal(databasePlace('postgres://u:secret@db.example/hm?sslmode=require'), 'db.example:5432/hm')
  assert.equal(databasePlace('postgres://other@db.example:5432/hm'), 'db.example:5432/hm')
  assert.notEqual(databasePlace('postgres://db.example/hm'), databasePlace('postgres://db.example/other'))
})

test('an IPv6 host stays in brackets', () => {
  assert.deepEqual(databaseAddress('postgres://[::1]:6432/hm'), { hostname: '[::1]', port: 6432 })
})
