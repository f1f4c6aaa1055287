import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'

const MEMBERS = 50

interface Series {
  readonly first: number
  readonly last: number
  readonly least: number
  readonly most: number
  readonly perSecond: { readonly slope: number; readonly least: number; readonly most: number }
  readonly isGrowing: boolean
}

interface Stored {
  readonly probes: number
  readonly samples: readonly { readonly atSeconds: number; readonly residentBytes: number }[]
  readonly resident: Series
  readonly heap: Series
  readonly reachableBytes: { readonly before: number; readonly after: number }
  readonly outcomes: Readonly<Record<string, number>>
}

/** Some seconds of a prober without PostgreSQL. `leak`: a program that the prober process runs too. */
function bench(t: TestContext, leak: string): { readonly status: number | null; readonly stored: Stored } {
  const folder = mkdtempSync(join(tmpdir(), 'healthmonitor-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const out = join(folder, 'memory.json')
  const options = ['--type', 'tcp-no-postgres', '--members', String(MEMBERS), '--minutes', '0.1']
  const times = ['--warm-up-seconds', '1', '--every-seconds', '0.25', '--out', out]
  const { status, stderr } = spawnSync(process.execPath, ['dist/bench/memory.js', ...options, ...times], {
    encoding: 'utf8',
    timeout: 90_000,
    env: { PATH: process.env['PATH'], BENCH_NODE_FLAGS: `--import data:text/javascript,${leak}` },
  })
  assert.ok(existsSync(out), stderr)
  return { status, stored: JSON.parse(readFileSync(out, 'utf8')) as Stored }
}

test('the bench of memory has its samples and their slopes, which are consistent', (t) => {
  const { stored } = bench(t, '0')
  const { samples, resident, heap, reachableBytes, outcomes, probes } = stored
  assert.equal(samples.length, 25)
  assert.ok(probes > MEMBERS && Object.keys(outcomes).join() === 'PASSED')
  assert.equal(resident.first, samples[0]?.residentBytes)
  assert.equal(resident.last, samples.at(-1)?.residentBytes)
  for (const { least, first, last, most, perSecond } of [resident, heap]) {
    assert.ok(0 < least && least <= first && least <= last && first <= most && last <= most)
    assert.ok(perSecond.least <= perSecond.slope && perSecond.slope <= perSecond.most)
  }
  assert.ok(reachableBytes.before > 0 && reachableBytes.after > 0)
})

test('a prober that keeps a megabyte every 100 ms is found to grow', (t) => {
  const { status, stored } = bench(
    t,
    'globalThis.kept=[];setInterval(()=>kept.push(Buffer.alloc(1e6,1)),100)',
  )
  assert.equal(status, 1)
  assert.ok(stored.heap.isGrowing && stored.resident.isGrowing)
  const perSecond = stored.heap.perSecond.slope
  assert.ok(perSecond > 3e6 && perSecond < 13e6, `${perSecond} bytes a second`)
})
