/** A UDP port (`argv[2]`) of all addresses that counts datagrams and answers none: silence is what UDP-CONNECT passes by. */
import { createSocket } from 'node:dgram'

const RECEIVE_BYTES = 8 * 1024 * 1024

let datagrams = 0
const socket = createSocket('udp4')
socket.on('message', () => datagrams++)
socket.bind(Number(process.argv[2] ?? 0), '0.0.0.0', () => {
  socket.setRecvBufferSize(RECEIVE_BYTES)
  process.send?.('listening')
})
process.on('message', () => process.send?.({ datagrams }))
process.on('disconnect', () => process.exit(0))
