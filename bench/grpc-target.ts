/**
 * A gRPC server (`argv[2]`: its port, on all addresses) that serves: it answers every call of HTTP/2 in clear text as
 * grpc.health.v1.Health/Check with SERVING. A message is answered with what arrived.
 */
import { createServer } from 'node:http2'

/** Not compressed, two bytes: field 1, status SERVING. */
const SERVING = Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01])

let connections = 0
let requests = 0
const server = createServer()
server.on('connection', () => connections++)
// A client that has its answer may reset the connection.
server.on('sessionError', () => undefined)
server.on('stream', (stream) => {
  requests++
  stream.on('error', () => undefined)
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.end(SERVING)
})
server.listen({ port: Number(process.argv[2] ?? 0), host: '0.0.0.0', backlog: 4096 }, () => {
  process.send?.('listening')
})
process.on('message', () => process.send?.({ connections, requests }))
process.on('disconnect', () => process.exit(0))
