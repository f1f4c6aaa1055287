import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import { NO_SLOT } from '../../src/probe/batch/core.ts'
import { ProbeRuntime } from '../../src/probe/probe-runtime.ts'
import { makeProbers } from '../../src/probe/probers.ts'
import { attempt, blackHole, getFrom, listen, probeWithin, targetOf, until } from '../support/probing.ts'

const descriptors = (): number => readdirSync('/proc/self/fd').length

test('a runtime that is closed has given back every descriptor, also of a probe that ended after that', async (t) => {
  const server = await listen(t, (socket) => void socket.on('end', () => socket.destroy()).resume())
  const nowhere = await blackHole(t)
  const before = descriptors()
  const runtime = new ProbeRuntime()
  const probers = makeProbers(runtime)
  for (let i = 0; i < 20; i++)
    assert.equal((await probeWithin(probers.TCP, targetOf(server))).reason, 'PASSED')
  assert.ok(descriptors() > before, 'sockets wait for the next probe')
  const late = attempt(probers.TCP, nowhere)
  runtime.close()
  late.cancel('timeout')
  assert.equal((await late.result).reason, 'CONNECT_TIMEOUT')
  await until(() => descriptors() <= before)
})

test('a probe by a runtime that is closed says nothing about its target', async (t) => {
  const server = await listen(t, () => undefined)
  const runtime = new ProbeRuntime()
  if (runtime.tcpWay === 'net.Socket') return t.skip('net.Socket needs nothing of the runtime')
  runtime.close()
  const { outcome } = await probeWithin(makeProbers(runtime).TCP, targetOf(server))
  assert.equal(outcome, 'inconclusive')
})

test('two runtimes of one process share nothing that is idle', async (t) => {
  const server = await listen(t, (socket) => {
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
  })
  const http = getFrom('x')
  const reuse = { freshEvery: 10, idleCloseIsFailure: false }
  const target = targetOf(server, { type: 'HTTP', http, reuse })
  const [one, other] = [new ProbeRuntime(), new ProbeRuntime()]
  t.after(() => {
    one.close()
    other.close()
  })
  assert.equal((await probeWithin(makeProbers(one).HTTP, target)).reason, 'PASSED')
  assert.deepEqual([one.idleConnections.size, other.idleConnections.size], [1, 0])
  one.close()
  assert.equal((await probeWithin(makeProbers(other).HTTP, target)).reason, 'PASSED')
  assert.equal(other.idleConnections.size, 1)
})

test('what has a share of a socket has a core with a socket for each probe, and nothing else has', async (t) => {
  const runtime = new ProbeRuntime()
  t.after(() => runtime.close())
  const where = { address: '127.0.0.1', family: 4, port: 1, timeoutMs: 1000 } as const
  const shared: readonly ProbeTarget[] = [
    { ...where, type: 'TCP', halfOpen: true },
    { ...where, type: 'PING' },
    { ...where, type: 'UDP-CONNECT' },
    { ...where, type: 'UDP-CONNECT', echoFirst: true },
  ]
  for (const target of shared) {
    const core = runtime.coreOf(target)
    if (core === undefined) return t.skip('these probes are not made by the batch here')
    const dedicated = runtime.dedicatedCoreOf(target)
    assert.ok(dedicated, `${JSON.stringify(target)}: ${JSON.stringify(runtime.plainTcp.way)}`)
    assert.notEqual(dedicated, core)
    const slot = dedicated.hold(target)
    assert.notEqual(slot, NO_SLOT)
    dedicated.release(slot)
  }
  const http = getFrom('x')
  for (const target of [
    { ...where, type: 'TCP' },
    { ...where, type: 'HTTP', http },
  ] as const)
    assert.equal(runtime.dedicatedCoreOf(target), undefined, target.type)
  assert.ok(runtime.idle >= 6, 'its descriptors are counted')
})
