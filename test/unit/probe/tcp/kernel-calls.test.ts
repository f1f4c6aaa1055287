import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { findLibc, type Libc } from '../../../../src/probe/tcp/libc.ts'
import { CONNECTED, CONNECTING, KernelCalls, type Peer } from '../../../../src/probe/tcp/kernel-calls.ts'
import { closedPort } from '../../../support/probing.ts'

const linuxOnly = { skip: process.platform === 'linux' ? false : 'the system calls are those of Linux' }
const ECONNREFUSED = 111

/** A listener that resets what it accepted, and how often it has. */
async function resetting(
  t: TestContext,
): Promise<{ readonly peer: Peer; readonly accepted: () => Promise<void> }> {
  const server = createServer((socket: Socket) => void socket.resetAndDestroy())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close())
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return {
    peer: { family: 4, address: '127.0.0.1', port: address.port },
    accepted: async () => {
      const [socket] = (await once(server, 'connection')) as [Socket]
      if (!socket.closed) await once(socket, 'close')
    },
  }
}

function open(
  t: TestContext,
  changed: Partial<Libc> = {},
): { readonly tcp: KernelCalls; readonly fd: number } {
  const tcp = new KernelCalls({ ...(findLibc() ?? assert.fail('no libc')), ...changed })
  const fd = tcp.open(4)
  t.after(() => {
    tcp.close(fd)
    tcp.end()
  })
  return { tcp, fd }
}

test(
  'a connection that was established counts as one after the target has reset it, and none that it refused',
  linuxOnly,
  async (t) => {
    const { peer, accepted } = await resetting(t)
    const { tcp, fd } = open(t)
    const refusing: Peer = { ...peer, port: await closedPort() }
    for (let round = 0; round < 2; round++) {
      assert.equal(tcp.connect(fd, peer), 0)
      await accepted()
      assert.equal(tcp.outcome(fd), CONNECTED)
      assert.equal(tcp.dissolve(fd), 0)
      // On the same socket: nothing is left of the handshake before.
      assert.equal(tcp.connect(fd, refusing), 0)
      assert.equal(tcp.outcome(fd), -ECONNREFUSED)
      assert.equal(tcp.dissolve(fd), 0)
    }
  },
)

test('a connection that both sides open at once is waited for', linuxOnly, (t) => {
  const SYN_RECV = 3
  const { tcp, fd } = open(t, {
    getsockopt: (_fd, _level, _option, value) => {
      value.fill(0)
      value[0] = SYN_RECV
      return 0
    },
  })
  assert.equal(tcp.outcome(fd), CONNECTING)
})
