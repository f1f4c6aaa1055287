/** Answers each HTTP request 150 ms after it came. Sends its port by IPC. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const ANSWER_AFTER_MS = 150
const server = createServer((_, response) => {
  setTimeout(() => response.end('ok'), ANSWER_AFTER_MS)
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))
