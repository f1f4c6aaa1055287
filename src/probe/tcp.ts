/**
 * TCP: connect within the timeout, then RST, as the ELB manual describes it (umn health_check) and so that neither side
 * keeps a TIME_WAIT. Phases: connect.
 */
import type { Reason } from '../domain/reasons.ts'
import { isConnectedToItself, openConnection } from './connection.ts'
import type { Probe } from './probe.ts'
import { millisecondsSince, result } from './result.ts'
import { reasonOfSocketError } from './socket-errors.ts'

export const probeTcp: Probe = (target, done) => {
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
    if (isConnectedToItself(socket, target))
      return fail('CONNECT_REFUSED', 'nobody listens: connected to itself')
    ended = true
    const connectMs = millisecondsSince(startedAt)
    socket.resetAndDestroy()
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
