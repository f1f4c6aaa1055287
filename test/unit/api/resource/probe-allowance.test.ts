import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProbeAllowance } from '../../../../src/api/resource/probe-allowance.ts'
import { DomainError } from '../../../../src/domain/errors.ts'
import {
  PROBE_RATES_SWEEP,
  PROBE_REQUESTS_MAX,
  PROBE_REQUESTS_PER_PROJECT,
  PROBE_REQUESTS_PER_SECOND,
} from '../../../../src/domain/limits.ts'

const refusedAs = (code: string) => (error: unknown) =>
  error instanceof DomainError && error.code === code && error.facts['retryAfterSeconds'] === 1

test('a project may ask for so many at once, then for so many a second, and another one is not concerned', () => {
  let nowMs = 50_000
  const allowance = new ProbeAllowance(() => nowMs)
  for (let i = 0; i < PROBE_REQUESTS_PER_SECOND; i++) allowance.take('a')()
  assert.throws(() => allowance.take('a'), refusedAs('TOO_MANY_ATTEMPTS'))
  allowance.take('b')()
  nowMs += 1000 / PROBE_REQUESTS_PER_SECOND
  allowance.take('a')()
  assert.throws(() => allowance.take('a'), refusedAs('TOO_MANY_ATTEMPTS'))
  nowMs += 10_000
  for (let i = 0; i < PROBE_REQUESTS_PER_SECOND; i++) allowance.take('a')()
  assert.throws(() => allowance.take('a'), refusedAs('TOO_MANY_ATTEMPTS'), 'a pause saves nothing up')
})

test('a project has so many under way, and a place that is given back is free again', () => {
  let nowMs = 0
  const allowance = new ProbeAllowance(() => (nowMs += 1000))
  const given = Array.from({ length: PROBE_REQUESTS_PER_PROJECT }, () => allowance.take('a'))
  assert.throws(() => allowance.take('a'), refusedAs('PROJECT_BUSY'))
  allowance.take('b')
  given[0]?.()
  allowance.take('a')
})

test('all projects together have no more under way than a process may, and a few of them leave room for the next', () => {
  let nowMs = 0
  const allowance = new ProbeAllowance(() => (nowMs += 1000))
  const takeAll = (project: string): number => {
    for (let taken = 0; ; taken++) {
      try {
        allowance.take(project)
      } catch {
        return taken
      }
    }
  }
  for (let i = 0; i < 5; i++) assert.equal(takeAll(`p${i}`), PROBE_REQUESTS_PER_PROJECT)
  assert.equal(takeAll('the next'), PROBE_REQUESTS_PER_PROJECT)
  for (let i = 0; i < PROBE_REQUESTS_MAX; i++) takeAll(`q${i}`)
  assert.equal(allowance.taken, PROBE_REQUESTS_MAX)
})

test('projects that ask for nothing are forgotten', () => {
  let nowMs = 10_000
  const allowance = new ProbeAllowance(() => nowMs)
  for (let i = 0; i <= PROBE_RATES_SWEEP; i++) {
    allowance.take(`p${i}`)()
    nowMs += 10
  }
  assert.ok(allowance.remembered < 200, String(allowance.remembered))
})
