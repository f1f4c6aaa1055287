import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { PROBE_REQUEST_REASON_LEAD_MS, PROBE_REQUESTS_IN_HAND } from '../../../../src/domain/limits.ts'
import type { ProbeRequest } from '../../../../src/domain/prober/probe-request.ts'
import type { AskedResult, AskedStage, Asking } from '../../../../src/schedule/asked/asked-probes.ts'
import {
  type AnsweredRequest,
  ProbeRequests,
  type ProbeRequestsOptions,
} from '../../../../src/schedule/asked/probe-requests.ts'
import { keepingLog } from '../../../support/prober.ts'
import { until } from '../../../support/probing.ts'

const PASSED: AskedResult = {
  result: { outcome: 'passed', reason: 'PASSED', detail: '', phases: { totalMs: 1 } },
  evidence: { port: 80 },
  counted: false,
  startedMs: 0,
}

function request(id: string, more: Partial<ProbeRequest> = {}): ProbeRequest {
  return {
    id,
    memberId: `member of ${id}`,
    poolId: 'pool',
    projectId: 'project',
    shard: 7,
    epoch: 3,
    configVersion: 5,
    counted: false,
    leftMs: 60_000,
    ...more,
  }
}

/** One shard with one pool; requests wait in `waiting` until they are taken, probes in `asked` until a test ends them. */
function world(t: TestContext, more: Partial<ProbeRequestsOptions> = {}) {
  const held = new Map([[7, 3]])
  const waiting: ProbeRequest[] = []
  const answers: AnsweredRequest[] = []
  const asked = new Map<string, Asking & { stage: AskedStage; isCancelled: boolean }>()
  const loads: number[] = []
  const state = {
    version: 5 as number | undefined,
    trouble: undefined as Error | undefined,
    takes: 0,
    inHand: [] as readonly string[],
  }
  const log = keepingLog()
  const requests = new ProbeRequests({
    log,
    held: () => held,
    versionOf: () => state.version,
    loadSoon: (shard) => loads.push(shard),
    verdictsWritten: () => Promise.resolve(),
    isAway: (error) => error instanceof Error && error.message === 'away',
    probeNow: ({ id }, asking) => {
      if (id === 'unknown') return undefined
      const entry = { ...asking, stage: 'waiting' as AskedStage, isCancelled: false }
      asked.set(id, entry)
      return {
        get stage() {
          return entry.stage
        },
        cancel: () => {
          entry.isCancelled = true
        },
      }
    },
    store: {
      takeProbeRequests: (_held, inHand, most) => {
        state.takes++
        state.inHand = inHand
        if (state.trouble !== undefined) return Promise.reject(state.trouble)
        return Promise.resolve(waiting.splice(0, most))
      },
      answerProbeRequests: (some) => {
        if (state.trouble !== undefined) return Promise.reject(state.trouble)
        if (some.some(({ request: { id } }) => id.startsWith('bad')))
          return Promise.reject(new Error('22P05'))
        answers.push(...some)
        return Promise.resolve()
      },
      forgetProbeRequests: () => Promise.resolve(),
    },
    ...more,
  })
  t.after(() => requests.destroy())
  const outcomes = () =>
    answers.map(({ request: { id }, answer }) => `${id} ${answer.finding?.reason ?? answer.noResult}`)
  return { requests, held, waiting, answers, asked, loads, state, log, outcomes }
}

const taken = async (requests: ProbeRequests, count: number): Promise<void> =>
  await until(() => requests.inHand === count)

test('a notification of an own shard takes requests at once; one of a foreign shard takes none', async (t) => {
  const { requests, waiting, asked, outcomes, state } = world(t)
  waiting.push(request('one'), request('two'))
  requests.notify('8')
  assert.equal(state.takes, 0)
  requests.notify('7')
  await taken(requests, 2)
  asked.get('two')?.onDone(PASSED)
  await until(() => outcomes().length === 1)
  assert.deepEqual(outcomes(), ['two PASSED'])
  assert.equal(requests.inHand, 1)
})

test('a request whose notification was lost is found by the next look', async (t) => {
  const { requests, waiting } = world(t)
  requests.start()
  waiting.push(request('one'))
  await taken(requests, 1)
})

test('a request waits until the prober has the configuration of its time, and asks for it', async (t) => {
  const { requests, waiting, asked, loads } = world(t, { versionOf: () => 4 })
  waiting.push(request('one'))
  requests.notify('')
  await taken(requests, 1)
  assert.deepEqual([loads, asked.size], [[7], 0])
  requests.completePool({ poolId: 'pool', configVersion: 4 })
  requests.completePool({ poolId: 'another', configVersion: 9 })
  assert.equal(asked.size, 0)
  requests.completePool({ poolId: 'pool', configVersion: 6 })
  assert.equal(asked.size, 1)
  requests.completePool({ poolId: 'pool', configVersion: 7 })
  assert.equal(asked.size, 1, 'and is asked once')
})

test('a member without a check, and one whose check goes, are answered as not probed', async (t) => {
  const { requests, waiting, asked, outcomes } = world(t)
  waiting.push(request('unknown'), request('going'))
  requests.notify('7')
  await until(() => asked.has('going'))
  asked.get('going')?.onDone(undefined)
  await until(() => outcomes().length === 2)
  assert.deepEqual(outcomes(), ['unknown not_probed', 'going not_probed'])
})

test('shortly before nobody waits any more, the answer says where the request was', async (t) => {
  const { requests, waiting, asked, outcomes, state } = world(t)
  const leftMs = PROBE_REQUEST_REASON_LEAD_MS + 300
  state.version = undefined
  waiting.push(request('unloaded', { leftMs }))
  requests.notify('7')
  await taken(requests, 1)
  state.version = 5
  waiting.push(...['waiting', 'in_flight', 'held'].map((id) => request(id, { leftMs })))
  requests.notify('7')
  await until(() => asked.size === 3)
  for (const [id, entry] of asked) entry.stage = id as AskedStage
  await until(() => outcomes().length === 4)
  assert.deepEqual(outcomes().toSorted(), [
    'held held',
    'in_flight running',
    'unloaded configuration',
    'waiting share',
  ])
  assert.ok([...asked.values()].every(({ isCancelled }) => isCancelled))
})

test('requests of a shard that is lost are forgotten: their probes end, and nobody is answered', async (t) => {
  const { requests, held, waiting, asked, outcomes } = world(t)
  waiting.push(request('one'), request('two', { shard: 8, epoch: 1 }))
  held.set(8, 1)
  requests.notify('7')
  await taken(requests, 2)
  requests.dropShards(new Set([7]))
  assert.equal(asked.get('one')?.isCancelled, true)
  asked.get('one')?.onDone(PASSED)
  asked.get('two')?.onDone(PASSED)
  await until(() => outcomes().length === 1)
  assert.deepEqual(outcomes(), ['two PASSED'])
})

test('a request that was taken at an epoch that is over is not begun', async (t) => {
  const { requests, waiting, state } = world(t)
  waiting.push(request('one', { epoch: 2 }))
  requests.notify('7')
  await until(() => state.takes > 0 && waiting.length === 0)
  assert.equal(requests.inHand, 0)
})

test('the answer to a counted probe waits until its verdict is written', async (t) => {
  let written = () => undefined as void
  const { requests, waiting, asked, outcomes } = world(t, {
    verdictsWritten: () => new Promise<void>((resolve) => (written = resolve)),
  })
  waiting.push(request('one', { counted: true }), request('two'))
  requests.notify('7')
  await until(() => asked.size === 2)
  asked.get('one')?.onDone({ ...PASSED, counted: true })
  asked.get('two')?.onDone(PASSED)
  await until(() => outcomes().length === 1)
  assert.deepEqual(outcomes(), ['two PASSED'])
  written()
  await until(() => outcomes().length === 2)
})

test('an answer that cannot be written is kept and written when PostgreSQL is back; taking goes on too', async (t) => {
  const { requests, waiting, asked, outcomes, state, log } = world(t)
  waiting.push(request('one'))
  requests.notify('7')
  await taken(requests, 1)
  state.trouble = new Error('away')
  asked.get('one')?.onDone(PASSED)
  requests.notify('7')
  await until(() => log.lines.length === 1)
  requests.notify('7')
  await until(() => state.takes >= 3)
  assert.equal(log.lines.length, 1, 'logged once')
  state.trouble = undefined
  await until(() => outcomes().length === 1)
  assert.deepEqual(outcomes(), ['one PASSED'])
  requests.notify('7')
  await until(() => log.lines.length === 2)
  assert.match(log.lines[1]?.message ?? '', /are read again/)
})

test('no more are taken than a prober may have in hand', async (t) => {
  const { requests, waiting, state } = world(t)
  waiting.push(...Array.from({ length: PROBE_REQUESTS_IN_HAND + 1 }, (_, i) => request(`r${i}`)))
  requests.notify('7')
  await taken(requests, PROBE_REQUESTS_IN_HAND)
  const { takes } = state
  requests.notify('7')
  assert.deepEqual([waiting.length, state.takes], [1, takes])
})

test('after the end nothing is taken and nothing answered', async (t) => {
  const { requests, waiting, asked, outcomes, state } = world(t)
  requests.start()
  waiting.push(request('one'))
  requests.notify('7')
  await taken(requests, 1)
  await requests.close()
  const { takes } = state
  asked.get('one')?.onDone(PASSED)
  requests.notify('7')
  assert.deepEqual([requests.inHand, state.takes, outcomes()], [0, takes, []])
})

test('one answer that PostgreSQL refuses is left out, and those of others arrive', async (t) => {
  const { requests, waiting, asked, outcomes, state, log } = world(t)
  const ids = ['a', 'b', 'bad one', 'c', 'd', 'bad too', 'e']
  waiting.push(...ids.map((id) => request(id)))
  requests.notify('7')
  await until(() => asked.size === ids.length)
  // They wait together.
  state.trouble = new Error('away')
  for (const id of ids) asked.get(id)?.onDone(PASSED)
  await until(() => requests.inHand === 0)
  state.trouble = undefined
  await until(() => outcomes().length === 5)
  assert.deepEqual(outcomes().toSorted(), ['a PASSED', 'b PASSED', 'c PASSED', 'd PASSED', 'e PASSED'])
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    Array.from({ length: 2 }, () => 'the answer to a request for a probe was refused'),
  )
  requests.notify('7')
  await until(() => state.inHand.length === 2)
  assert.deepEqual(state.inHand.toSorted(), ['bad one', 'bad too'], 'they are not probed once more')
})

test('what is in hand, and what is answered and not written yet, is said when more is taken', async (t) => {
  const { requests, waiting, asked, state } = world(t)
  waiting.push(request('running'), request('answered'))
  requests.notify('7')
  await until(() => asked.size === 2)
  state.trouble = new Error('away')
  asked.get('answered')?.onDone(PASSED)
  await until(() => requests.inHand === 1)
  requests.notify('7')
  await until(() => state.takes >= 2)
  assert.deepEqual(state.inHand.toSorted(), ['answered', 'running'])
})
