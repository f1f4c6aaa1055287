/** A UDP port of all addresses that counts datagrams and answers none: silence is what UDP-CONNECT passes by. */
import { createSocket } from 'node:dgram'

let received = 0
const socket = createSocket('udp4')
socket.on('message', () => received++)
socket.bind(0, '0.0.0.0', () => {
  socket.setRecvBufferSize(8 * 1024 * 1024)
  process.send?.({ port: socket.address().port })
})
process.on('message', () => process.send?.({ received }))
process.on('disconnect', () => process.exit(0))
