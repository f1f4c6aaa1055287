/** The bench of the engine over TLS and HTTP/2, beside peers. */
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

function has(program: string, option: string): boolean {
  return spawnSync(program, [option]).status === 0
}

/** The one run of each type that the bench stored. */
async function bench(t: TestContext, options: readonly string[]): Promise<readonly Figures[]> {
  const folder = temporaryFolder()
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const out = join(folder, 'engine.json')
  const length = ['--members', String(MEMBERS), '--seconds', '2', '--warm-up', '2', '--out', out]
  await promisify(execFile)(process.execPath, ['--enable-source-maps', PROGRAM, ...length, ...options], {
    env: { PATH: process.env['PATH'] },
  })
  const { results } = JSON.parse(readFileSync(out, 'utf8')) as { readonly results: readonly CaseResult[] }
  return results.flatMap(({ runs }) => runs)
}

function assertProbed(run: Figures): void {
  assert.deepEqual(Object.keys(run.outcomes), ['PASSED'])
  assert.ok(run.probesPerSecond > 0 && run.cpuMicrosecondsPerProbe > 0)
  const { started, arrived } = run.lifetime
  // Of each member one probe may have been stopped before it asked: in its handshake, on a busy host.
  assert.ok(arrived > 0 && arrived <= started && started - arrived <= MEMBERS, `${arrived} of ${started}`)
}

test('over TLS, each handshake of both sides is new, or with -resumed resumes a session, with either key', async (t) => {
  if (!has('haproxy', '-v')) return t.skip('there is no haproxy')
  const runs = await bench(t, [
    '--types',
    'https-no-postgres,https-rsa-no-postgres,https-resumed-no-postgres,https-rsa-resumed-no-postgres',
  ])
  for (const run of runs) {
    assertProbed(run)
    assert.ok(run.peer !== undefined && run.ratio !== undefined && run.ratio > 0)
  }
  assert.deepEqual(
    runs.map(({ resumedShare }) => resumedShare),
    [
      { ours: 0, theirs: 0 },
      { ours: 0, theirs: 0 },
      { ours: 1, theirs: 1 },
      { ours: 1, theirs: 1 },
    ],
  )
})

test('gRPC is probed on new and on kept connections, beside Envoy where there is one', async (t) => {
  const peer = has('envoy', '--version') && has('haproxy', '-v') ? ['--peer', 'envoy'] : ['--no-haproxy']
  const runs = await bench(t, ['--types', 'grpc-no-postgres,grpc-reused-no-postgres', ...peer])
  assert.equal(runs.length, 2)
  for (const run of runs) {
    assertProbed(run)
    assert.equal(run.ratio !== undefined, peer.includes('envoy'))
  }
})
