/** TLS-HELLO: a complete TLS handshake within the timeout, with any certificate, then close. Phases: connect, TLS. */
import type { Reason } from '../domain/reasons.ts'
import { isConnectedToItself } from './connection.ts'
import type { Probe } from './probe.ts'
import { millisecondsSince, result } from './result.ts'
import { reasonOfSocketError } from './socket-errors.ts'
import { isTlsError, openTlsConnection } from './tls.ts'

export const probeTlsHello: Probe = (target, done) => {
  const startedAt = performance.now()
  const socket = openTlsConnection(target)
  let connectMs: number | undefined
  let ended = false

  function end(reason: Reason, detail: string): void {
    if (ended) return
    ended = true
    const totalMs = millisecondsSince(startedAt)
    socket.destroy()
    if (connectMs === undefined) done(result(reason, detail, { totalMs }))
    else
      done(
        result(
          reason,
          detail,
          reason === 'PASSED' ? { connectMs, tlsMs: totalMs, totalMs } : { connectMs, totalMs },
        ),
      )
  }

  socket.on('connect', () => {
    if (isConnectedToItself(socket, target))
      return end('CONNECT_REFUSED', 'nobody listens: connected to itself')
    connectMs = millisecondsSince(startedAt)
  })
  socket.on('secureConnect', () => end('PASSED', `handshake complete, ${socket.getProtocol() ?? 'TLS'}`))
  socket.on('error', (error: NodeJS.ErrnoException) => {
    const reason = reasonOfSocketError(error.code, target)
    const detail = `${error.syscall ?? 'socket'} ${error.code ?? 'error'}`
    if (isTlsError(error)) end('TLS_HANDSHAKE', error.code ?? 'TLS error')
    else if (connectMs === undefined) end(reason, detail)
    else if (reason === 'CONNECT_RESET') end('TLS_HANDSHAKE', 'closed during the handshake')
    else end(reason === 'CONNECT_TIMEOUT' ? 'TLS_TIMEOUT' : reason, detail)
  })

  return (why) => {
    const phase = connectMs === undefined ? 'connecting' : 'in the TLS handshake'
    if (why === 'shutdown') return end('PROBER_STOPPING', `stopped while ${phase}`)
    end(connectMs === undefined ? 'CONNECT_TIMEOUT' : 'TLS_TIMEOUT', `${phase} for ${target.timeoutMs} ms`)
  }
}
