import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProbeTarget } from '../../../../../src/domain/target/probe-target.ts'
import { NO_SLOT } from '../../../../../src/probe/batch/core.ts'
import { makePlainHttp } from '../../../../../src/probe/http/plain/plain-http.ts'
import type { StreamCalls } from '../../../../../src/probe/http/plain/stream-calls.ts'
import {
  answering,
  descriptors,
  HTTP,
  httpTarget,
  OK,
  opened,
  parts,
  real,
  TARGET,
} from '../../../../support/plain-http.ts'
import { collectingCalls } from '../../../../support/collecting-kernel.ts'
import { closedPort, listen, probeWithin, until } from '../../../../support/probing.ts'

const SO_TIMESTAMPNS = 35

test('each call that fails, lies or cannot be called leaves HTTP probes on their other way', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const kernels: Readonly<Record<string, Partial<StreamCalls>>> = {
    'without epoll': { epoll_create1: () => -1 },
    'that watches nothing': { epoll_ctl: () => -1 },
    'that reports nothing': { epoll_wait: () => 0 },
    'that makes no socket': { socket: () => -1 },
    'that connects nothing': { connect: () => -1 },
    'without TCP_INFO': { getsockopt: () => -1, errno: () => 92 },
    'that sends nothing': { send: () => -1 },
    'that only says that it sends': { send: (_fd, _bytes, count) => count },
    'that receives nothing': { recvmmsg: () => -1 },
    'that says another length': {
      recvmmsg: (...values) => {
        const received = calls.recvmmsg(...values)
        values[1].fill(0, 56, 60)
        return received
      },
    },
    'without times of arrival': {
      setsockopt: (...values) => (values[2] === SO_TIMESTAMPNS ? -1 : calls.setsockopt(...values)),
    },
    'that only says that it stamps': {
      setsockopt: (...values) => (values[2] === SO_TIMESTAMPNS ? 0 : calls.setsockopt(...values)),
    },
    'without a clock': { clock_gettime: () => -1 },
    'that ends no side': { shutdown: () => -1 },
    'whose function cannot be called': {
      send: () => {
        throw new TypeError('Unexpected Number value for argument 2, expected void *')
      },
    },
  }
  const before = descriptors()
  for (const [name, changed] of Object.entries(kernels)) {
    const plain = makePlainHttp(parts, () => ({ ...calls, ...changed }))
    assert.equal(plain.coreOf(TARGET), undefined, name)
    assert.equal(plain.way?.by, 'prober', name)
    assert.equal(descriptors(), before, `a kernel ${name}: descriptors`)
  }
})

test('what is more than HTTP/1.x on a plain connection is not made by this core', (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const { plain, core } = opened(t, calls)
  const others: readonly Partial<ProbeTarget>[] = [
    { type: 'TCP' },
    { type: 'HTTPS' },
    { tls: { verify: false } },
    { proxyProtocol: 1 },
    { http: { ...HTTP, version: '2' } },
    { grpc: { service: '', authority: 'x', metadata: [] } },
    { family: 6, address: '::ffff:127.0.0.1' },
  ]
  for (const other of others)
    assert.equal(plain.coreOf({ ...TARGET, ...other }), undefined, JSON.stringify(other))
  // The prober says why.
  for (const http of [{ path: '/\r\nX: y' }, { expectBodyPattern: { source: '(' } }])
    assert.equal(core.hold({ ...TARGET, http: { ...HTTP, ...http } }), NO_SLOT)
})

test('memory that the kernel has the address of is kept, whenever the collector runs', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const collecting = collectingCalls()
  const { probe, plain } = opened(t, {
    ...calls,
    recvmmsg: collecting((...values: Parameters<StreamCalls['recvmmsg']>) => calls.recvmmsg(...values)),
    send: collecting((...values: Parameters<StreamCalls['send']>) => calls.send(...values)),
    connect: collecting((...values: Parameters<StreamCalls['connect']>) => calls.connect(...values)),
    epoll_wait: collecting((...values: Parameters<StreamCalls['epoll_wait']>) => calls.epoll_wait(...values)),
  })
  const servers = [
    await listen(
      t,
      answering(() => OK),
    ),
    await listen(
      t,
      answering(() => OK),
      '::1',
    ),
  ]
  const port = await closedPort()
  for (let round = 0; round < 3; round++) {
    for (const server of servers)
      assert.equal((await probeWithin(probe, httpTarget(server))).detail, 'got 200')
    assert.equal((await probeWithin(probe, { ...TARGET, port })).reason, 'CONNECT_REFUSED')
  }
  assert.equal(plain.way?.by, 'batch')
})

test('slots are given again, and a core that is closed gives all descriptors back', async (t) => {
  const calls = real(t)
  if (calls === undefined) return
  const silent = await listen(t, (socket) => socket.resume())
  const before = descriptors()
  const { plain, core } = opened(t, calls)
  const slots = Int32Array.from({ length: 2500 }, () => core.hold(httpTarget(silent)))
  assert.equal(new Set(slots).size, slots.length)
  for (const slot of slots) core.release(slot)
  const again = slots.map(() => core.hold(httpTarget(silent)))
  assert.deepEqual(new Set(again), new Set(slots))
  const some = again.subarray(0, 50)
  core.start(some, some.length, performance.now())
  core.collect(performance.now())
  assert.equal(core.inFlight, some.length)
  plain.close()
  assert.equal(core.inFlight, 0)
  await until(() => descriptors() <= before)
  assert.equal(core.hold(TARGET), NO_SLOT)
})
