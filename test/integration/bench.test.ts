import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import type { CaseResult, Figures } from '../../bench/engine-figures.ts'
import { temporaryFolder } from '../support/postgres.ts'

const PROGRAM = resolve(import.meta.dirname, '../../bench/engine.js')
const MEMBERS = 50

interface Stored {
  readonly at: string
  readonly postgres: string
  readonly results: readonly CaseResult[]
}

/** What the bench stored after a short run; it has a PostgreSQL of its own, and its own network where it may. */
async function bench(t: TestContext, options: readonly string[]): Promise<Stored> {
  const folder = temporaryFolder()
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const out = join(folder, 'engine.json')
  const length = ['--members', String(MEMBERS), '--seconds', '2', '--warm-up', '2', '--out', out]
  await promisify(execFile)(process.execPath, ['--enable-source-maps', PROGRAM, ...length, ...options], {
    env: { PATH: process.env['PATH'] },
  })
  return JSON.parse(readFileSync(out, 'utf8')) as Stored
}

function assertPositive(figures: Readonly<Record<string, number | undefined>>): void {
  for (const [name, figure] of Object.entries(figures))
    assert.ok(figure !== undefined && Number.isFinite(figure) && figure > 0, `${name}: ${figure}`)
}

function assertComplete(run: Figures): void {
  const { latenessMs: late, postgres } = run
  assertPositive({
    probesPerSecond: run.probesPerSecond,
    cpuMicrosecondsPerProbe: run.cpuMicrosecondsPerProbe,
    ...late,
    bytesPerMember: run.bytesPerMember,
    residentBytesPerMember: run.residentBytesPerMember,
    descriptors: run.descriptors,
    statementsPerSecond: postgres?.statementsPerSecond,
    transactionsPerSecond: postgres?.transactionsPerSecond,
    rowsWrittenPerSecond: postgres?.rowsWrittenPerSecond,
    walBytesPerSecond: postgres?.walBytesPerSecond,
  })
  // May round to nothing in so short a run.
  for (const small of [run.gcShare, run.othersShare, postgres?.cpuMicrosecondsPerProbe])
    assert.ok(small !== undefined && Number.isFinite(small) && small >= 0)
  assert.ok(late.p50 <= late.p99 && late.p99 <= late.max)
  assert.deepEqual(Object.keys(run.outcomes), ['PASSED'])
}

test('the bench of the engine has all its figures, and each probe that it counts arrived at the target', async (t) => {
  const { at, postgres, results } = await bench(t, ['--types', 'tcp,http', '--target', 'node'])
  assert.ok(Date.parse(at) > 0 && postgres.length > 0)
  assert.deepEqual(
    results.map(({ type, members }) => [type, members]),
    [
      ['tcp', MEMBERS],
      ['http', MEMBERS],
    ],
  )
  for (const { type, runs, ratio } of results) {
    const [run] = runs
    assert.ok(run !== undefined && ratio === undefined)
    assertComplete(run)
    // A probe of HTTP that was stopped between connecting and asking never asked.
    const { started, arrived } = run.lifetime
    assert.ok(
      type === 'tcp' ? arrived === started : Math.abs(started - arrived) <= 2,
      `${arrived} of ${started}`,
    )
  }
})

test('beside HAProxy the bench has its checks, its CPU and the ratio of each run', async (t) => {
  if (spawnSync('haproxy', ['-v']).status !== 0) return t.skip('there is no haproxy')
  const { results } = await bench(t, ['--types', 'tcp', '--repeat', '2'])
  const [result] = results
  assert.equal(result?.runs.length, 2)
  for (const run of result.runs) {
    assertComplete(run)
    assertPositive({ ...run.peer, ratio: run.ratio })
    assert.equal(run.lifetime.arrived, run.lifetime.started)
  }
  assertPositive({ ...result.ratio })
  assert.ok(result.ratio!.min <= result.ratio!.median && result.ratio!.median <= result.ratio!.max)
})
