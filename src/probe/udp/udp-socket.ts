/** One datagram on a connected UDP socket of its own: the kernel tells it of a closed port. Costs a descriptor while it waits. */
import { createSocket, type Socket } from 'node:dgram'
import type { ProbeTarget } from '../../domain/probe-target.ts'
import { type Ends, isConnectedToItself } from '../source-ports.ts'

/** Who waits for what becomes of a datagram. After `onSent` at most one of the others. */
export interface DatagramUser {
  onSent(): void
  /** Of the target's address and port. The bytes are the caller's again afterwards. */
  onReply(datagram: Buffer): void
  /** The network or the target's host says that nobody gets it. */
  onUnreachable(what: string): void
  /** The network says that it did not find the target's host; a reply is waited for all the same. Only on shared sockets. */
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

/** What ICMP says to a connected socket, beside ECONNREFUSED; from other calls the same codes are of this host. */
const TOLD_BY_ICMP: ReadonlySet<string> = new Set([
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENONET',
  'ENOPROTOOPT',
  'EACCES',
])

/** A `close` that waited for a bind is forgotten when the bind fails; then it is to be closed again. */
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
