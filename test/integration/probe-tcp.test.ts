import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProbeTarget } from '../../src/domain/target/probe-target.ts'
import type { Probe } from '../../src/probe/probe.ts'
import {
  attempt,
  blackHole,
  closedPort,
  listen,
  openSockets,
  probeWithin,
  targetOf,
  until,
  wakableBlackHole,
} from '../support/probing.ts'
import { noPlainTcpCore, probeTcp, probeTcpByNode, probeTcpByPlainCore, tcpWay } from '../support/probers.ts'

const WAYS: Readonly<Record<string, Probe>> = {
  'net.Socket': probeTcpByNode,
  ...(tcpWay === 'system calls' ? { 'system calls': probeTcp } : {}),
  ...(noPlainTcpCore() === false ? { 'the batch': probeTcpByPlainCore } : {}),
}

test('TCP probes go by system calls and by the batch on Linux, elsewhere on net.Socket', () => {
  const isLinux = process.platform === 'linux'
  assert.equal(tcpWay, isLinux ? 'system calls' : 'net.Socket')
  assert.equal(noPlainTcpCore() === false, isLinux)
})

for (const [way, probe] of Object.entries(WAYS)) {
  test(`${way}: a target with an IPv4-mapped address is probed, and spoils no IPv6 probe after it`, async (t) => {
    const server4 = await listen(t, () => undefined)
    const server6 = await listen(t, () => undefined, '::1')
    const mapped = ['::ffff:127.0.0.1', '0:0:0:0:0:FFFF:7f00:1'].map(
      (address): ProbeTarget => ({ ...targetOf(server4), address, family: 6 }),
    )
    for (const target of mapped) {
      assert.equal((await probeWithin(probe, target)).reason, 'PASSED')
      assert.equal((await probeWithin(probe, targetOf(server6))).reason, 'PASSED')
    }
  })

  for (const address of ['127.0.0.1', '::1']) {
    test(`${way}: a TCP probe of a listener on ${address} passes and ends the connection with a reset`, async (t) => {
      const ends: string[] = []
      const server = await listen(
        t,
        (socket) => {
          socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? 'error'))
          socket.on('end', () => ends.push('FIN'))
          socket.resume()
        },
        address,
      )
      const result = await probeWithin(probe, targetOf(server))
      assert.equal(result.reason, 'PASSED')
      assert.equal(result.phases.connectMs, result.phases.totalMs)
      await until(() => ends.length > 0)
      assert.deepEqual(ends, ['ECONNRESET'])
    })

    test(`${way}: a TCP probe of a closed port on ${address} fails with CONNECT_REFUSED`, async () => {
      const port = await closedPort(address)
      const family = address === '::1' ? 6 : 4
      const result = await probeWithin(probe, { type: 'TCP', address, family, port, timeoutMs: 1000 })
      assert.equal(result.outcome, 'failed')
      assert.equal(result.reason, 'CONNECT_REFUSED')
      assert.equal(result.phases.connectMs, undefined)
    })
  }

  test(`${way}: a 200 ms deadline against a black hole ends within 250 ms, best of three`, async (t) => {
    const target = await blackHole(t)
    const before = openSockets()
    const tookMs: number[] = []
    for (let i = 0; i < 3; i++) {
      const startedAt = performance.now()
      const result = await probeWithin(probe, target)
      tookMs.push(performance.now() - startedAt)
      assert.equal(result.reason, 'CONNECT_TIMEOUT')
      assert.equal(result.phases.connectMs, undefined)
    }
    assert.ok(Math.min(...tookMs) < 250, `took ${tookMs.join(', ')} ms`)
    await until(() => openSockets() === before)
  })

  test(`${way}: a target that answers the second SYN only passes, and the wait for it counts`, async (t) => {
    const { target, wake } = await wakableBlackHole(t)
    const { result, calls } = attempt(probe, target)
    // The first SYN is out, and dropped.
    await new Promise((resolve) => setImmediate(resolve))
    wake()
    const { reason, phases } = await result
    assert.equal(reason, 'PASSED')
    assert.ok((phases.connectMs ?? 0) > 500, `took ${phases.connectMs} ms`)
    assert.equal(calls(), 1)
  })

  test(`${way}: a shutdown during the connect is inconclusive, and a second cancel does nothing`, async (t) => {
    const { result, cancel, calls } = attempt(probe, await blackHole(t))
    cancel('shutdown')
    cancel('timeout')
    assert.equal((await result).reason, 'PROBER_STOPPING')
    assert.equal(calls(), 1)
  })

  test(`${way}: a source address that is not of this host is inconclusive`, async (t) => {
    const server = await listen(t, () => undefined)
    const result = await probeWithin(probe, targetOf(server, { sourceAddress: '203.0.113.1' }))
    assert.equal(result.outcome, 'inconclusive')
    assert.equal(result.reason, 'PROBER_NO_SOCKET')
    assert.equal(result.detail, 'bind EADDRNOTAVAIL')
  })

  test(`${way}: a TCP probe leaves from the source address that the target names`, async (t) => {
    let seen = ''
    const server = await listen(t, (socket) => {
      seen = socket.remoteAddress ?? ''
    })
    await probeWithin(probe, targetOf(server, { sourceAddress: '127.0.0.7' }))
    await until(() => seen !== '')
    assert.equal(seen, '127.0.0.7')
  })

  test(`${way}: with close fin the connection ends in order`, async (t) => {
    const ends: string[] = []
    const server = await listen(t, (socket) => {
      socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? 'error'))
      socket.on('end', () => ends.push('FIN'))
      socket.resume()
    })
    const result = await probeWithin(probe, targetOf(server, { close: 'fin' }))
    assert.equal(result.reason, 'PASSED')
    await until(() => ends.length > 0)
    assert.deepEqual(ends, ['FIN'])
  })

  test(`${way}: a source address of IPv6 that is not of this host is inconclusive`, async (t) => {
    const server = await listen(t, () => undefined, '::1')
    const result = await probeWithin(probe, targetOf(server, { sourceAddress: '2001:db8::1' }))
    assert.equal(result.reason, 'PROBER_NO_SOCKET')
    assert.equal(result.detail, 'bind EADDRNOTAVAIL')
  })

  test(`${way}: sockets of many probes at one time are all closed`, async (t) => {
    const server = await listen(t, (socket) => socket.resume())
    const before = openSockets()
    const results = await Promise.all(Array.from({ length: 200 }, () => probeWithin(probe, targetOf(server))))
    for (const { reason } of results) assert.equal(reason, 'PASSED')
    await until(() => openSockets() <= before)
  })
}

// A net.Socket completes the handshake.
for (const [way, probe] of Object.entries(WAYS).filter(([name]) => name !== 'net.Socket')) {
  test(`${way}: a half-open TCP probe passes without a connection`, async (t) => {
    let connections = 0
    const server = await listen(t, (socket) => {
      connections++
      socket.on('error', () => undefined)
    })
    const probes = 20
    for (let i = 0; i < probes; i++) {
      const { reason, phases } = await probeWithin(probe, targetOf(server, { halfOpen: true }))
      assert.equal(reason, 'PASSED')
      assert.ok((phases.connectMs ?? 0) > 0)
    }
    // A process that stands still for 200 ms lets the kernel send the ACK itself: all of them it never is.
    assert.ok(connections < probes / 2, `${connections} of ${probes} were accepted`)
    // A socket that was half open is whole again for the next probe.
    const before = connections
    assert.equal((await probeWithin(probe, targetOf(server))).reason, 'PASSED')
    await until(() => connections === before + 1)
  })

  test(`${way}: a half-open TCP probe of a closed port is refused, and of a black hole it times out`, async (t) => {
    const port = await closedPort()
    const closed = {
      type: 'TCP',
      address: '127.0.0.1',
      family: 4,
      port,
      timeoutMs: 1000,
      halfOpen: true,
    } as const
    assert.equal((await probeWithin(probe, closed)).reason, 'CONNECT_REFUSED')
    const silent = { ...(await blackHole(t)), halfOpen: true } as const
    assert.equal((await probeWithin(probe, silent)).reason, 'CONNECT_TIMEOUT')
  })
}
