/** Two projects, attacker and bystander: what reads of large pages take from others. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Admission } from '../../../../src/api/http/admission.ts'
import { DomainError } from '../../../../src/domain/errors.ts'
import { LARGE_PAGE_ROWS, PROJECT_WAITING_MAX } from '../../../../src/domain/limits.ts'

const LARGE = LARGE_PAGE_ROWS + 1

/** Reads that go on until they are released, and whose they are. */
function reads(admission: Admission) {
  const running: { readonly project: string; readonly end: () => void }[] = []
  const read = (project: string, rows: number): Promise<string> =>
    admission.page(
      project,
      rows,
      () => new Promise((resolve) => running.push({ project, end: () => resolve(project) })),
    )
  const of = (project: string): number => running.filter((each) => each.project === project).length
  const endFirst = async (): Promise<void> => {
    running.shift()?.end()
    await Promise.resolve()
    await new Promise(setImmediate)
  }
  return { read, of, endFirst, running }
}

test('of large pages of one project some are read at one time, and the next project is served at once', async () => {
  const { read, of, endFirst, running } = reads(new Admission())
  const attacks = Array.from({ length: 20 }, () => read('attacker', LARGE))
  await new Promise(setImmediate)
  const atOnce = of('attacker')
  assert.ok(atOnce > 0 && atOnce < 20)
  const his = read('bystander', LARGE)
  await new Promise(setImmediate)
  assert.equal(of('bystander'), 1)
  for (let n = 0; n < 20 && running.length > 0; n++) {
    assert.ok(of('attacker') <= atOnce)
    await endFirst()
  }
  while (running.length > 0) await endFirst()
  assert.equal(await his, 'bystander')
  assert.equal((await Promise.all(attacks)).length, 20)
})

test('a small page never waits for a large one, not even of its own project', async () => {
  const { read, of, endFirst, running } = reads(new Admission())
  const large = Array.from({ length: 10 }, () => read('attacker', LARGE))
  await new Promise(setImmediate)
  const before = of('attacker')
  const small = read('attacker', LARGE_PAGE_ROWS)
  await new Promise(setImmediate)
  assert.equal(of('attacker'), before + 1)
  while (running.length > 0) await endFirst()
  await Promise.all([...large, small])
})

test('a large page that waits too long is refused, and what failed gives its place back', async () => {
  const admission = new Admission({ waitMs: 1 })
  const isBusy = (error: unknown): boolean => error instanceof DomainError && error.code === 'PROJECT_BUSY'
  let end: () => void = () => undefined
  const holding = admission.page('attacker', LARGE, () => new Promise<void>((resolve) => (end = resolve)))
  await assert.rejects(
    admission.page('attacker', LARGE, () => Promise.resolve()),
    isBusy,
  )
  end()
  await holding
  const failing = () => Promise.reject(new Error('the statement failed'))
  for (let n = 0; n < PROJECT_WAITING_MAX; n++) {
    await assert.rejects(admission.page('attacker', LARGE, failing), /the statement failed/)
  }
  assert.equal(await admission.page('attacker', LARGE, () => Promise.resolve('read')), 'read')
})
