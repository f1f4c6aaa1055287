import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { mistakeLine, UsageError } from '../../../src/bin/command-line.ts'
import { simulateFor } from '../../../src/bin/command/simulate.ts'
import { SIMULATION_INPUT_MAX_BYTES } from '../../../src/domain/limits.ts'

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function simulate(argv: readonly string[], input?: string | readonly Uint8Array[]): Promise<Ended> {
  let out = ''
  try {
    const code = await simulateFor(argv, {
      input: chunksOf(input ?? ''),
      isTerminal: input === undefined,
      out: (text) => (out += text),
    })
    return { code, out, err: '' }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { code: 2, out, err: mistakeLine(error, 'simulate') }
  }
}

async function* chunksOf(input: string | readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* typeof input === 'string' ? [Buffer.from(input)] : input
}

async function steps(unified_config: unknown, results: readonly unknown[]): Promise<unknown> {
  const { code, out, err } = await simulate([], JSON.stringify({ id: 'x', unified_config, results }))
  assert.equal(code, 0, err)
  const answer = JSON.parse(out) as { id: string; steps: unknown }[]
  assert.equal(answer.length, 1)
  assert.equal(answer[0]?.id, 'x')
  return answer[0].steps
}

async function refused(input: unknown): Promise<string> {
  const { code, out, err } = await simulate([], typeof input === 'string' ? input : JSON.stringify(input))
  assert.notEqual(code, 0)
  assert.equal(out, '')
  return err
}

test('people get a timeline of their results', async () => {
  const argv = ['--rise', '2', '--fall', '3', '--interval', '5s', '--']
  const { code, out } = await simulate([...argv, 'pass', 'pass', 'fail', 'fail', 'fail', 'pass'])
  assert.equal(code, 0)
  assert.equal(
    out,
    [
      'time  result  status   counter     next probe',
      ' 0 s  pass    ONLINE   0/3 failed  in 5 s      changed',
      ' 5 s  pass    ONLINE   0/3 failed  in 5 s',
      '10 s  fail    ONLINE   1/3 failed  in 5 s      change pending',
      '15 s  fail    ONLINE   2/3 failed  in 5 s      change pending',
      '20 s  fail    OFFLINE  0/2 passed  in 5 s      changed',
      '25 s  pass    OFFLINE  1/2 passed  in 5 s      change pending',
      '',
    ].join('\n'),
  )
})

test('flags take the preset of a peer and every duration', async () => {
  const flags = ['--preset', 'haproxy', '--interval', '1.5s', '--online-pending', '500ms', '--offline', '1m']
  const { out } = await simulate([...flags, '--', 'success', 'timeout', 'fail', 'fail'])
  const next = out.split('\n').map((line) => /in ([\d.]+ m?s)/.exec(line)?.[1])
  assert.deepEqual(next.slice(1, 5), ['1.5 s', '500 ms', '500 ms', '60 s'])
})

test('a list of traces becomes a list of answers in the same order, and other keys are ignored', async () => {
  const { vectors } = JSON.parse(readFileSync('test/vectors/state-vectors.json', 'utf8')) as {
    vectors: readonly { id: string; unified_config: unknown; results: readonly unknown[] }[]
  }
  const { code, out } = await simulate([], JSON.stringify(vectors))
  assert.equal(code, 0)
  const answers = JSON.parse(out) as { id: string; steps: unknown[] | null }[]
  assert.deepEqual(
    answers.map(({ id, steps: given }) => [id, given?.length ?? null]),
    vectors.map((vector) => [vector.id, vector.unified_config === null ? null : vector.results.length]),
  )
  assert.deepEqual(Object.keys(answers[0] ?? {}), ['id', 'steps'])
})

test('no traces are no answers', async () => {
  assert.deepEqual(await simulate([], '[]'), { code: 0, out: '[]\n', err: '' })
})

test('steps are null without a configuration, whatever the results are', async () => {
  assert.equal(await steps(null, [{ healthy: 3, total: 16 }, 'observe:fastinter']), null)
})

test('what a configuration leaves out has the defaults of the unified model', async () => {
  assert.deepEqual(await steps({}, ['success', 'network_fail', 'network_fail', 'network_fail']), [
    { status: 'ONLINE', next_interval_ms: 5000, transition: 'Changed' },
    { status: 'ONLINE', next_interval_ms: 5000, transition: 'ChangePending' },
    { status: 'ONLINE', next_interval_ms: 5000, transition: 'ChangePending' },
    { status: 'OFFLINE', next_interval_ms: 5000, transition: 'Changed' },
  ])
})

test('null is an absent interval, and a credit of null is none', async () => {
  const config = {
    fall: 2,
    initialStatus: 'ONLINE',
    firstFall: null,
    intervals: { online: 1000, offline: null, noTraffic: null },
  }
  assert.deepEqual(await steps(config, ['network_fail', 'network_fail']), [
    { status: 'ONLINE', next_interval_ms: 1000, transition: 'ChangePending' },
    { status: 'OFFLINE', next_interval_ms: 1000, transition: 'Changed' },
  ])
})

test("the model's own names mean the same as those of the vectors", async () => {
  const results = ['success', 'network_fail', 'network_fail', 'passive_fail', 'success', 'success', 'success']
  const inVectors = {
    rise: 2,
    fall: 3,
    initialStatus: 'OFFLINE',
    firstRise: 1,
    firstFall: null,
    unknownFall: 2,
    passive: 'hard',
    hardFail: ['timeout'],
    doubleCheckOnRecovery: 1,
    intervals: { online: 7000, offline: 9000 },
  }
  const inModel = {
    rise: 2,
    fall: 3,
    initial: { status: 'OFFLINE', rise: 1, fall: null, unknownFall: 2 },
    hardFail: ['timeout', 'passive_fail'],
    recoveryExtra: 1,
    interval: 7000,
    intervals: { offline: 9000 },
  }
  const expected = await steps(inVectors, results)
  assert.deepEqual(
    (expected as { status: string }[]).map(({ status }) => status),
    ['ONLINE', 'ONLINE', 'ONLINE', 'OFFLINE', 'OFFLINE', 'OFFLINE', 'ONLINE'],
  )
  assert.deepEqual(await steps(inModel, results), expected)
})

test('what the model says of how probes go about it does not matter to what their results mean', async () => {
  const config = {
    timeout: 3000,
    jitter: { percent: 10 },
    http: { path: '/' },
    connection: { reuse: 'none' },
  }
  assert.deepEqual(await steps(config, ['success', 'timeout']), await steps({}, ['success', 'timeout']))
})

test('flags are shown only when true, and a change of degraded is a change', async () => {
  const config = { rise: 1, intervals: { online: 1000 } }
  assert.deepEqual(await steps(config, ['success', 'degraded', 'warning', 'cond_pass', 'success']), [
    { status: 'ONLINE', next_interval_ms: 1000, transition: 'Changed' },
    { status: 'ONLINE', next_interval_ms: 1000, transition: 'Changed', degraded: true },
    { status: 'ONLINE', next_interval_ms: 1000, transition: 'Changed', warning: true },
    { status: 'ONLINE', next_interval_ms: 1000, transition: 'Unchanged', draining: true },
    { status: 'ONLINE', next_interval_ms: 1000, transition: 'Unchanged' },
  ])
})

test('a failure on traffic takes a target down and leaves the timer', async () => {
  const config = { passive: 'hard', intervals: { online: 1000 } }
  assert.deepEqual(await steps(config, ['success', 'passive_fail', 'passive_fail']), [
    { status: 'ONLINE', next_interval_ms: 1000, transition: 'Changed' },
    { status: 'OFFLINE', next_interval_ms: null, transition: 'Changed', timer: 'unchanged' },
    { status: 'OFFLINE', next_interval_ms: null, transition: 'Unchanged', timer: 'unchanged' },
  ])
})

test('events are null: traffic ends its intervals, a restart ends a halt, unknown ones change nothing', async () => {
  const config = {
    rise: 1,
    fall: 1,
    haltWhenOffline: true,
    intervals: { online: 1000, noTraffic: 9000, noTrafficHealthy: 8000 },
  }
  const stopped = { status: 'OFFLINE', next_interval_ms: null, timer: 'stopped' }
  assert.deepEqual(
    await steps(config, [
      'success',
      '@traffic',
      '@else',
      'success',
      'timeout',
      'success',
      '@restart',
      'success',
    ]),
    [
      { status: 'ONLINE', next_interval_ms: 8000, transition: 'Changed' },
      null,
      null,
      { status: 'ONLINE', next_interval_ms: 1000, transition: 'Unchanged' },
      { ...stopped, transition: 'Changed' },
      { ...stopped, transition: 'Unchanged' },
      null,
      { status: 'ONLINE', next_interval_ms: 1000, transition: 'Changed' },
    ],
  )
})

for (const [what, input] of [
  ['no JSON', '{'],
  ['nothing at all', ''],
  ['a number', 5],
  ['a trace without an id', { unified_config: {}, results: [] }],
  ['a trace without a configuration', { id: 'x', results: [] }],
  ['a trace without results', { id: 'x', unified_config: {} }],
  ['results that are no list', { id: 'x', unified_config: {}, results: 'success' }],
  ['an unknown result', { id: 'x', unified_config: {}, results: ['sucess'] }],
  ['a result that is no word', { id: 'x', unified_config: {}, results: [1] }],
  ['one bad trace among good ones', [{ id: 'x', unified_config: {}, results: [] }, { id: 'y' }]],
] as const) {
  test(`refused with a message and no output: ${what}`, async () => {
    assert.match(await refused(input), /^healthmonitor simulate: ./)
  })
}

for (const config of [
  [],
  'none',
  { rise: 0 },
  { fall: -1 },
  { rise: 1.5 },
  { fall: '3' },
  { unknownFall: 0 },
  { firstRise: 0 },
  { firstFall: 0 },
  { up: 3 },
  { initialStatus: 'UP' },
  { hardFail: 'status_fail' },
  { hardFail: ['success'] },
  { hardFail: ['retriable_fail'] },
  { initial: 'ONLINE' },
  { initial: { state: 'ONLINE' } },
  { initial: { rise: 0 } },
  { initial: { rise: 2 }, firstRise: 1 },
  { recoveryExtra: 1, doubleCheckOnRecovery: 1 },
  { interval: 0 },
  { interval: 1000, intervals: { online: 2000 } },
  { quorum: { minHealthyFraction: 0.18 } },
  { passive: 'soft' },
  { anchor: 'end' },
  { haltWhenOffline: 1 },
  { invert: 'yes' },
  { inconclusive: 'ignore' },
  { doubleCheckOnRecovery: -1 },
  { intervals: [] },
  { intervals: { online: 0 } },
  { intervals: { online: '5s' } },
  { intervals: { undecided: -1 } },
  { intervals: { edge: 1000 } },
  { flap: { window: 1 } },
  { flap: { high: 20, low: 30 } },
]) {
  test(`refused configuration: ${JSON.stringify(config)}`, async () => {
    await refused({ id: 'x', unified_config: config, results: ['success'] })
  })
}

for (const argv of [
  [],
  ['--rise', '2'],
  ['--rise', '0', '--', 'pass'],
  ['--interval', '5h', '--', 'pass'],
  ['--interval', '0s', '--', 'pass'],
  ['--preset', 'nginx', '--', 'pass'],
  ['--hard', 'network', '--', 'pass'],
  ['--speed', '--', 'pass'],
  ['--', 'passed?'],
]) {
  test(`refused command line: ${JSON.stringify(argv)}`, async () => {
    const { code, out, err } = await simulate(argv)
    assert.notEqual(code, 0)
    assert.equal(out, '')
    assert.match(err, /^healthmonitor simulate: [^\n]+ \(healthmonitor simulate --help says more\)\n$/)
  })
}

test('input without an end is not read to its end', async () => {
  const chunk = new Uint8Array(1024 * 1024)
  const chunks = Array.from({ length: SIMULATION_INPUT_MAX_BYTES / chunk.length + 1 }, () => chunk)
  const { code, out, err } = await simulate([], chunks)
  assert.notEqual(code, 0)
  assert.equal(out, '')
  assert.match(err, /longer than/)
})
