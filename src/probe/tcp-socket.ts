/** TCP on a `net.Socket`: by public API alone, wherever Node runs. The meaning is told in tcp.ts. */
import type { Reason } from '../domain/reasons.ts'
import { CONNECTED_TO_ITSELF, isConnectedToItself, openConnection } from './connection.ts'
import type { Probe } from './probe.ts'
import { millisecondsSince, result } from './result.ts'
import { reasonOfSocketError } from './socket-errors.ts'

/** By public API alone. */
export const probeTcpBySocket: Probe = (target, done) => {
  const startedAt = performance.now()
  const socket = openConnection(target)
  let ended = false

  function fail(reason: Reason, detail: string): void {
    if (ended) return
    ended = true
    socket.destroy()
    done(result(reason, detail, { totalMs: millisecondsSince(startedAt) }))
  }

  socket.on('connect', () => {
    if (ended) return
    if (isConnectedToItself(socket, target)) return fail('CONNECT_REFUSED', CONNECTED_TO_ITSELF)
    ended = true
    const connectMs = millisecondsSince(startedAt)
    if (target.close === 'fin') socket.destroy()
    else socket.resetAndDestroy()
    done(result('PASSED', 'connected', { connectMs, totalMs: connectMs }))
  })
  socket.on('error', (error: NodeJS.ErrnoException) =>
    fail(reasonOfSocketError(error.code, target), `${error.syscall ?? 'socket'} ${error.code ?? 'error'}`),
  )

  return (why) =>
    why === 'timeout'
      ? fail('CONNECT_TIMEOUT', `no answer to SYN within ${target.timeoutMs} ms`)
      : fail('PROBER_STOPPING', 'stopped while connecting')
}
