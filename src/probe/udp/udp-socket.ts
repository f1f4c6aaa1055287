/**
 * One datagram on a connected UDP socket of its own, to which the kernel reports a closed port. Costs a descriptor
 * while it waits.
 */
import { createSocket, type Socket } from 'node:dgram'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { type Ends, isConnectedToItself } from '../source-ports.ts'

/** Callbacks for the outcome of a datagram. After `onSent`, at most one of the others is called. */
export interface DatagramUser {
  onSent(): void
  /** Of the target's address and port. The bytes are the caller's again afterwards. */
  onReply(datagram: Buffer): void
  /** The network or the target's host reports that the datagram cannot be delivered. */
  onUnreachable(what: string): void
  /**
   * The network reports that the target's host was not found; the probe still waits for a reply. Only on shared
   * sockets.
   */
  onDoubt(): void
  /** Our own port is the target's: were the target this host, we would answer ourselves. */
  onOwnPort(): void
  onFailure(error: NodeJS.ErrnoException): void
}

/** A target is an address: no resolver, and no sooner than the resolver would answer. */
export function withoutLookup(
  address: string,
  options: { readonly family?: unknown } | number,
  callback: (error: null, address: string, family: number) => void,
): void {
  process.nextTick(callback, null, address, typeof options === 'number' ? options : 0)
}

/** ICMP errors of a connected socket, besides ECONNREFUSED; from other calls the same codes are faults of this host. */
const TOLD_BY_ICMP: ReadonlySet<string> = new Set([
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENONET',
  'ENOPROTOOPT',
  'EACCES',
])

/** Node forgets a `close` during a bind when the bind fails; then the socket must be closed again. */
export function closeQuietly(socket: Socket): void {
  try {
    socket.close()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SOCKET_DGRAM_NOT_RUNNING') throw error
  }
}

/** Sends `payload`; the returned function closes the socket. */
export function sendOnOwnSocket(target: ProbeTarget, payload: Uint8Array, user: DatagramUser): () => void {
  const { family, address, port, sourceAddress } = target
  const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', lookup: withoutLookup })
  let isClosed = false
  const close = (): void => {
    if (isClosed) return
    isClosed = true
    socket.close()
  }
  const onError = (error: NodeJS.ErrnoException): void => {
    if (isClosed) return closeQuietly(socket)
    if (error.code === 'ECONNREFUSED') user.onUnreachable('port unreachable')
    else if (error.syscall === 'recvmsg' && TOLD_BY_ICMP.has(error.code ?? ''))
      user.onUnreachable(`recvmsg ${error.code}`)
    else user.onFailure(error)
  }
  socket.on('error', onError)
  socket.on('connect', () => {
    if (isClosed) return
    socket.send(payload, (error) => {
      if (error !== null && error !== undefined) onError(error)
      else if (!isClosed) user.onSent()
    })
  })
  socket.on('message', (datagram) => {
    if (isClosed) return
    if (isConnectedToItself(port, endsOf(socket))) user.onOwnPort()
    else user.onReply(datagram)
  })
  if (sourceAddress !== undefined) socket.bind({ address: sourceAddress, exclusive: true })
  socket.connect(port, address)
  return close
}

function endsOf(socket: Socket): Ends {
  const { port, address } = socket.address()
  return { localPort: port, localAddress: address, remoteAddress: socket.remoteAddress().address }
}
