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
import { CLOSE_TOGETHER_MAX, IDLE_NODE_SOCKETS_MAX, PLAIN_READ_BYTES } from '../../domain/limits.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { connectOptions } from './connection.ts'

/** The user of a socket. No method is called before `connect` has returned, nor after `close`. */
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

/** A socket and its present user. Only `NodeSockets` creates it. */
export class ProbeSocket extends Socket {
  readonly kind: SocketKind
  user: SocketUser | undefined
  endsWithReset = false
  /** Its connection ended without an error: nothing of it is left in the stream. */
  isClean = false

  constructor(kind: SocketKind, reading: SocketConstructorOpts) {
    super(kind === 'reading' ? reading : undefined)
    this.kind = kind
    this.on('connect', onConnect)
    this.on('error', onError)
    if (kind === 'reading') this.on('end', onEnd)
    else this.pause()
  }
}

/** The sockets of one prober. */
export class NodeSockets {
  readonly #idle: Readonly<Record<SocketKind, ProbeSocket[]>> = { reading: [], silent: [] }
  readonly #reading: SocketConstructorOpts
  #closing: ProbeSocket[] = []

  constructor() {
    // Where all of them read to: what arrived is looked at before the next read, and nobody keeps a view of it. Without it
    // Node makes a buffer of 64 KiB for each read.
    const received = Buffer.alloc(PLAIN_READ_BYTES)
    const callback = function (this: Socket, bytes: number): boolean {
      ;(this as ProbeSocket).user?.onData(received.subarray(0, bytes))
      return true
    }
    /** `onread` is an option of the constructor, which its type does not know. */
    const reading: SocketConstructorOpts & { readonly onread: OnReadOpts } = {
      onread: { buffer: received, callback },
    }
    this.#reading = reading
  }

  /** Starts to connect. */
  connect(target: ProbeTarget, kind: SocketKind, user: SocketUser): ProbeSocket {
    const socket = this.#idle[kind].pop() ?? this.#make(kind)
    socket.user = user
    socket.isClean = false
    socket.connect(connectOptions(target))
    return socket
  }

  /**
   * Ends the connection, with RST or FIN: at once when it is not established, else together with those that end in the
   * same turn of the event loop. Afterwards another user may get it.
   */
  close(socket: ProbeSocket, how: 'reset' | 'close'): void {
    socket.user = undefined
    if (socket.connecting || socket.destroyed) {
      socket.destroy()
      return
    }
    socket.endsWithReset = how === 'reset'
    const waiting = this.#closing.push(socket)
    if (waiting === 1) setImmediate(this.#closeTogether)
    else if (waiting >= CLOSE_TOGETHER_MAX) this.#closeTogether()
  }

  #make(kind: SocketKind): ProbeSocket {
    const socket = new ProbeSocket(kind, this.#reading)
    socket.on('close', () => {
      const others = this.#idle[kind]
      if (socket.isClean && others.length < IDLE_NODE_SOCKETS_MAX) others.push(socket)
    })
    return socket
  }

  readonly #closeTogether = (): void => {
    const sockets = this.#closing
    this.#closing = []
    for (const socket of sockets) {
      socket.isClean = socket.readable && socket.writable && socket.writableLength === 0
      if (socket.endsWithReset) socket.resetAndDestroy()
      else socket.destroy()
    }
  }
}

function onConnect(this: Socket): void {
  ;(this as ProbeSocket).user?.onConnect()
}
function onEnd(this: Socket): void {
  ;(this as ProbeSocket).user?.onEnd()
}
function onError(this: Socket, error: NodeJS.ErrnoException): void {
  ;(this as ProbeSocket).user?.onError(error)
}
