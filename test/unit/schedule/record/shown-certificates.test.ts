import assert from 'node:assert/strict'
import { mock, type TestContext, test } from 'node:test'
import type { CertificateWrite } from '../../../../src/domain/prober/check.ts'
import {
  CERTIFICATE_FLUSH_MS,
  CERTIFICATE_HOLD_MS,
  FLUSH_RETRY_MS,
  FLUSH_ROWS_MAX,
} from '../../../../src/domain/limits.ts'
import type { LeafCertificate } from '../../../../src/domain/result/leaf-certificate.ts'
import type { CheckConfig } from '../../../../src/domain/prober/check.ts'
import { Check } from '../../../../src/schedule/loop/check.ts'
import { ShownCertificates } from '../../../../src/schedule/record/shown-certificates.ts'
import { config, shareOf } from '../../../support/scheduling.ts'

const YEAR = 31_536_000_000

const leaf = (years: number): LeafCertificate => ({
  fingerprint: `${years}`,
  notAfter: years * YEAR,
  subject: 'a.example',
  issuer: 'CA',
})

const tls = (memberId: string, more: Partial<CheckConfig> = {}): CheckConfig =>
  config(memberId, { expiryWarningDays: 14, ...more })

const checkOf = (of: CheckConfig): Check =>
  new Check(of, undefined, {
    nowMs: 0,
    pool: { isGone: false },
    share: shareOf('10.0.0.1'),
    denied: undefined,
  })

/** The part over a database that the test may switch off, and a clock of timers that only the test moves. */
function harness(t: TestContext) {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.after(() => mock.timers.reset())
  const batches: (readonly CertificateWrite[])[] = []
  const warnings: string[] = []
  const state = { epoch: 1 as number | undefined, isAway: false }
  const certificates = new ShownCertificates({
    write: (rows) => {
      if (state.isAway) return Promise.reject(new Error('away'))
      batches.push(rows)
      return Promise.resolve()
    },
    epochOf: () => state.epoch,
    log: {
      debug: () => undefined,
      info: () => undefined,
      warn: (_, text) => void warnings.push(text),
      error: () => undefined,
    },
  })
  t.after(() => certificates.destroy())
  const pass = async (ms = CERTIFICATE_FLUSH_MS): Promise<void> => {
    mock.timers.tick(ms)
    // What a write has resolved goes on in microtasks.
    for (let i = 0; i < 10; i++) await Promise.resolve()
  }
  const written = () =>
    batches.flat().map(({ memberId, notAfter, warningDays }) => [memberId, notAfter / YEAR, warningDays])
  return { certificates, batches, warnings, state, pass, written }
}

test('what a member shows is written once, however often it shows it, and again when it shows another', async (t) => {
  const { certificates, pass, written } = harness(t)
  const check = checkOf(tls('a'))
  for (let i = 0; i < 5; i++) certificates.note(check, leaf(1), i)
  await pass()
  assert.deepEqual(written(), [['a', 1, 14]])
  // Parsed again: another object, the same certificate.
  certificates.note(check, leaf(1), 10)
  certificates.note(check, undefined, 11)
  assert.equal(certificates.waiting, 0)
  certificates.note(check, leaf(2), 12)
  await pass()
  assert.deepEqual(written(), [
    ['a', 1, 14],
    ['a', 2, 14],
  ])
})

test('of several certificates that are shown in turn the one that ends first holds, and nothing is written for the others', async (t) => {
  const { certificates, pass, written } = harness(t)
  const check = checkOf(tls('a'))
  let nowMs = 0
  for (let i = 0; i < 1000; i++) {
    certificates.note(check, leaf(i % 2 === 0 ? 2 : 1), (nowMs = i * 1000))
    await pass(1000)
  }
  assert.deepEqual(written(), [
    ['a', 2, 14],
    ['a', 1, 14],
  ])
  // The one that ended first is renewed: seen no more for as long as it holds.
  certificates.note(check, leaf(2), nowMs + CERTIFICATE_HOLD_MS - 1)
  await pass()
  assert.equal(written().length, 2)
  certificates.note(check, leaf(2), nowMs + CERTIFICATE_HOLD_MS)
  await pass()
  assert.deepEqual(written().at(-1), ['a', 2, 14])
})

test('a renewed certificate is taken at once, and so is the next one', async (t) => {
  const { certificates, pass, written } = harness(t)
  const check = checkOf(tls('a'))
  for (const years of [1, 2, 3]) {
    certificates.note(check, leaf(years), years)
    await pass()
  }
  assert.deepEqual(
    written().map(([, years]) => years),
    [1, 2, 3],
  )
})

test('another target, another generation and other days of warning are written; other changes are not', async (t) => {
  const { certificates, pass, written, batches } = harness(t)
  const check = checkOf(tls('a'))
  certificates.note(check, leaf(1), 0)
  await pass()
  check.config = { ...check.config, projectId: 'project' }
  certificates.note(check, leaf(1), 1)
  assert.equal(certificates.waiting, 0)
  check.config = { ...check.config, expiryWarningDays: 30 }
  // Also where the connection is kept, and no certificate comes.
  certificates.note(check, undefined, 2)
  await pass()
  // The monitor was off and on again: the connection was kept, and the row must not stay one of the old generation.
  check.config = { ...check.config, generation: 2 }
  certificates.note(check, undefined, 3)
  await pass()
  certificates.note(check, leaf(1), 4)
  assert.equal(certificates.waiting, 0)
  check.config = { ...check.config, generation: 3 }
  certificates.note(check, leaf(1), 5)
  await pass()
  check.config = { ...check.config, generation: 4, target: { ...check.config.target, port: 81 } }
  certificates.note(check, undefined, 6)
  assert.equal(certificates.waiting, 0)
  certificates.note(check, leaf(1), 7)
  await pass()
  assert.deepEqual(written(), [
    ['a', 1, 14],
    ['a', 1, 30],
    ['a', 1, 30],
    ['a', 1, 30],
    ['a', 1, 30],
  ])
  assert.deepEqual(
    batches.flat().map(({ generation }) => generation),
    [1, 1, 2, 3, 4],
  )
})

test('a check without TLS, and a shard that is not ours, give nothing to write', async (t) => {
  const { certificates, state, batches } = harness(t)
  certificates.note(checkOf(config('a')), leaf(1), 0)
  assert.equal(certificates.waiting, 0)
  state.epoch = undefined
  certificates.note(checkOf(tls('b')), leaf(1), 0)
  assert.equal(certificates.waiting, 0)
  assert.deepEqual(batches, [])
})

test('while PostgreSQL is away the last certificate of each member waits, and one line is logged', async (t) => {
  const { certificates, state, warnings, pass, written } = harness(t)
  state.isAway = true
  const check = checkOf(tls('a'))
  certificates.note(check, leaf(1), 0)
  await pass()
  certificates.note(check, leaf(2), 1)
  for (let i = 0; i < 3; i++) await pass(FLUSH_RETRY_MS.max)
  assert.equal(certificates.waiting, 1)
  assert.deepEqual(warnings, ['certificates cannot be written; they are kept'])
  state.isAway = false
  await pass(FLUSH_RETRY_MS.max)
  assert.deepEqual(written(), [['a', 2, 14]])
})

test('what waits for a shard that was lost is forgotten', async (t) => {
  const { certificates, state, pass, written } = harness(t)
  certificates.note(checkOf(tls('a', { shard: 1 })), leaf(1), 0)
  certificates.note(checkOf(tls('b', { shard: 2 })), leaf(1), 0)
  certificates.dropShards(new Set([1]))
  state.isAway = true
  await pass()
  // Lost and claimed again while it was written: the new epoch sees it anew.
  state.isAway = false
  assert.equal(certificates.waiting, 1)
  await pass(FLUSH_RETRY_MS.max)
  assert.deepEqual(written(), [['b', 1, 14]])
  certificates.note(checkOf(tls('c', { shard: 3 })), leaf(1), 0)
  state.isAway = true
  state.epoch = 2
  await pass()
  assert.equal(certificates.waiting, 0)
})

test('many certificates of one project do not keep back those of another', async (t) => {
  const { certificates, batches, pass } = harness(t)
  for (let i = 0; i < 3 * FLUSH_ROWS_MAX; i++)
    certificates.note(checkOf(tls(`${i}`, { projectId: 'large' })), leaf(1), 0)
  certificates.note(checkOf(tls('one', { projectId: 'small' })), leaf(1), 0)
  await pass()
  assert.equal(batches[0]?.length, FLUSH_ROWS_MAX)
  assert.ok(batches[0]?.some(({ projectId }) => projectId === 'small'))
  for (let i = 0; i < 4; i++) await pass(0)
  assert.equal(batches.flat().length, 3 * FLUSH_ROWS_MAX + 1)
})

test('after it is closed nothing is written any more', async (t) => {
  const { certificates, batches, pass } = harness(t)
  certificates.note(checkOf(tls('a')), leaf(1), 0)
  await certificates.close()
  certificates.note(checkOf(tls('b')), leaf(1), 0)
  await pass(60_000)
  assert.deepEqual(batches, [])
})
