/**
 * One listener for thousands of members: 127.0.0.0/8 all lead here; it answers 200. A process of its own, so that its CPU
 * is not counted as ours. `argv[2]`: the port, any when absent. IPC: `stop` closes the listener (members refuse), `start`
 * opens it again; answers `listening`/`closed`. `count` answers with what arrived.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Longer than any interval of a bench: kept connections must stay open. */
const KEEP_ALIVE_MS = 60_000

let connections = 0
let requests = 0
const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (_, response) => {
  requests++
  response.writeHead(200, { 'content-length': '2' })
  response.end('ok')
})
server.on('connection', () => connections++)
let port = Number(process.argv[2] ?? 0)

function start(): void {
  server.listen({ port, host: '0.0.0.0', backlog: 4096 }, () => {
    port = (server.address() as AddressInfo).port
    process.send?.({ event: 'listening', port })
  })
}

process.on('message', (message) => {
  if (message === 'start') start()
  if (message === 'count') process.send?.({ connections, requests })
  if (message === 'stop') {
    server.close(() => process.send?.({ event: 'closed' }))
    server.closeAllConnections()
  }
})
process.on('disconnect', () => process.exit(0))
start()
