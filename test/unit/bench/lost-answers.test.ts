import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

interface Stored {
  readonly sent: number
  readonly answered: number
  readonly results: Readonly<Record<string, number>>
  readonly passed: number
  readonly lost: number
  readonly seconds: number
  readonly cpuMicrosecondsPerProbe: number
}

const RATE = 2000
const SECONDS = 1

for (const kind of ['half-open', 'ping'])
  test(`the bench of lost answers counts what it sent, what was answered and what passed: ${kind}`, (t) => {
    if (process.getuid?.() !== 0) return t.skip('raw sockets and a network namespace need root')
    const folder = mkdtempSync(join(tmpdir(), 'healthmonitor-test-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const out = join(folder, 'lost.json')
    const options = ['--kind', kind, '--rate', String(RATE), '--seconds', String(SECONDS), '--out', out]
    const { status, stderr } = spawnSync(process.execPath, ['dist/bench/lost-answers.js', ...options], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    assert.equal(status, 0, stderr)
    const found = JSON.parse(readFileSync(out, 'utf8')) as Stored
    assert.equal(found.sent, RATE * SECONDS)
    assert.equal(found.answered, found.sent)
    assert.deepEqual(found.results, { PASSED: found.sent })
    assert.deepEqual([found.passed, found.lost], [found.sent, 0])
    assert.ok(found.seconds > SECONDS / 2 && found.cpuMicrosecondsPerProbe > 0)
  })
