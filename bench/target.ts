/**
 * One listener for thousands of members: 127.0.0.0/8 all lead here. A process of its own, so that its CPU is not
 * counted as ours. IPC: `stop` closes the listener (members refuse), `start` opens it again; answers `listening`/`closed`.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const server = createServer((_, response) => {
  response.writeHead(200, { 'content-length': '2' })
  response.end('ok')
})
let port = 0

function start(): void {
  server.listen({ port, host: '0.0.0.0', backlog: 4096 }, () => {
    port = (server.address() as AddressInfo).port
    process.send?.({ event: 'listening', port })
  })
}

process.on('message', (message) => {
  if (message === 'start') start()
  if (message === 'stop') {
    server.close(() => process.send?.({ event: 'closed' }))
    server.closeAllConnections()
  }
})
process.on('disconnect', () => process.exit(0))
start()
