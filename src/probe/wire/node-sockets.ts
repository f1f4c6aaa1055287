/**
 * Sockets of Node's for plain connections, by public API alone. What costs most beside the system calls is the stream, so
 *
 * * each serves one connection after the other (`connect` may be called again on a socket that has emitted 'close'): the
 *   stream, its states and its listeners are made once;
 * * all read into one buffer (`onread`), and those of which nothing is read are paused before they connect;
 * * what is done with is closed together, at the end of the turn of the event loop: the code of one step, run fifty times in
 *   a row, stays in the processor's caches.
 *
 * Together that is a tenth to a fifth of the CPU of an HTTP probe, and a twentieth of a TCP probe (docs/performance.md).
 *
 * States: connecting → connected → closing (its user hears nothing any more) → closed → idle, when it ended in order.
 */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net'
import { PLAIN_READ_BYTES, CLOSE_TOGETHER_MAX, IDLE_NODE_SOCKETS_MAX } from '../../domain/limits.ts'
import type { ProbeTarget } from '../../domain/results.ts'
import { connectOptions } from './connection.ts'

/** Who has a socket. Nothing is told before `connectSocket` returned, nor after `closeSocket`. */
export interface SocketUser {
  onConnect(): void
  /** The bytes are the socket's again afterwards. */
  onData(chunk: Buffer): void
  /** The target sent its FIN. */
  onEnd(): void
  onError(error: NodeJS.ErrnoException): void
}

/** `silent`: nothing that the target sends is read, nor its end. */
export type SocketKind = 'reading' | 'silent'

/**
 * Where all of them read to: what arrived is looked at before the next read, and nobody keeps a view of it. Without it
 * Node makes a buffer of 64 KiB for each read.
 */
const received = Buffer.alloc(PLAIN_READ_BYTES)

/** `onread` is an option of the constructor, which its type does not know. */
const READING: SocketConstructorOpts & { readonly onread: OnReadOpts } = {
  onread: { buffer: received, callback: onRead },
}

const idle: Readonly<Record<SocketKind, ProbeSocket[]>> = { reading: [], silent: [] }

/** A socket and who has it now. Made by `connectSocket` only. */
export class ProbeSocket extends Socket {
  readonly kind: SocketKind
  user: SocketUser | undefined
  endsWithReset = false
  /** Its connection ended in order: nothing of it is left in the stream. */
  isClean = false

  constructor(kind: SocketKind) {
    super(kind === 'reading' ? READING : undefined)
    this.kind = kind
    this.on('connect', onConnect)
    this.on('error', onError)
    this.on('close', onClose)
    if (kind === 'reading') this.on('end', onEnd)
    else this.pause()
  }
}

/** Starts to connect. */
export function connectSocket(target: ProbeTarget, kind: SocketKind, user: SocketUser): ProbeSocket {
  const socket = idle[kind].pop() ?? new ProbeSocket(kind)
  socket.user = user
  socket.isClean = false
  socket.connect(connectOptions(target))
  return socket
}

let closing: ProbeSocket[] = []

/**
 * Ends the connection, with RST or in order: at once when it does not stand, else with those that end in the same turn of
 * the event loop. It may be another user's afterwards.
 */
export function closeSocket(socket: ProbeSocket, how: 'reset' | 'close'): void {
  socket.user = undefined
  if (socket.connecting || socket.destroyed) {
    socket.destroy()
    return
  }
  socket.endsWithReset = how === 'reset'
  const waiting = closing.push(socket)
  if (waiting === 1) setImmediate(closeTogether)
  else if (waiting >= CLOSE_TOGETHER_MAX) closeTogether()
}

function closeTogether(): void {
  const sockets = closing
  closing = []
  for (const socket of sockets) {
    socket.isClean = socket.readable && socket.writable && socket.writableLength === 0
    if (socket.endsWithReset) socket.resetAndDestroy()
    else socket.destroy()
  }
}

function onConnect(this: Socket): void {
  ;(this as ProbeSocket).user?.onConnect()
}
function onRead(this: Socket, bytes: number): boolean {
  ;(this as ProbeSocket).user?.onData(received.subarray(0, bytes))
  return true
}
function onEnd(this: Socket): void {
  ;(this as ProbeSocket).user?.onEnd()
}
function onError(this: Socket, error: NodeJS.ErrnoException): void {
  ;(this as ProbeSocket).user?.onError(error)
}
function onClose(this: Socket): void {
  const socket = this as ProbeSocket
  const others = idle[socket.kind]
  if (socket.isClean && others.length < IDLE_NODE_SOCKETS_MAX) others.push(socket)
}
