/** The NATS server that tests of sites use: what tests take for granted of it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type NatsServer, startNatsServer, testOnNats, withJetStream } from '../support/nats-server.ts'

/** What the server says first to a client; undefined when it closes the connection, or refuses it. */
async function greeting({ port }: NatsServer): Promise<string | undefined> {
  const socket = connect(port('client'), '127.0.0.1')
  const said = once(socket, 'data').then(([bytes]) => String(bytes))
  return said.catch(() => undefined).finally(() => socket.destroy())
}

testOnNats(
  'a NATS server is stopped, killed and started again on its port, with JetStream',
  async (t, binary) => {
    const server = await startNatsServer(t, { binary })
    const { url } = server
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      assert.match((await greeting(server)) ?? '', /^INFO .*"jetstream":true/)
      await server.stop(signal)
      assert.equal(await greeting(server), undefined)
      await server.start()
      assert.equal(server.url, url)
    }
  },
)

testOnNats('a NATS server is frozen, and thawed', async (t, binary) => {
  const server = await startNatsServer(t, { binary })
  const socket = connect(server.port('client'), '127.0.0.1')
  t.after(() => socket.destroy())
  await once(socket, 'data')
  server.freeze()
  let answer = ''
  socket.on('data', (bytes) => (answer += String(bytes)))
  socket.write('CONNECT {"verbose":false}\r\nPING\r\n')
  const timer = setTimeout(() => server.thaw(), 300)
  t.after(() => clearTimeout(timer))
  const begun = performance.now()
  await once(socket, 'data')
  assert.match(answer, /^PONG/)
  assert.ok(performance.now() - begun >= 250)
})

testOnNats('a NATS server takes another configuration while it runs, or says why not', async (t, binary) => {
  const server = await startNatsServer(t, { binary })
  await server.reload(withJetStream('max_payload: 4096'))
  assert.match((await greeting(server)) ?? '', /"max_payload":4096/)
  await assert.rejects(server.reload(withJetStream('max_payload: many')), /max_payload|Failed to reload/)
})
