/** A wire on bare handles: plain TCP without a PROXY header, at about the cost of its system calls. */
import { BARE_READ_BYTES } from '../domain/limits.ts'
import type { ProbeTarget } from '../domain/results.ts'
import type { BareStream, StreamHandle, WriteRequest } from './bare-stream.ts'
import { type ConnectRequest, errnoName, type SocketName } from './bare-tcp.ts'
import type { Endpoints } from './proxy-header.ts'
import { mayBeSourcePort } from './source-ports.ts'
import type { Wire, WireUser } from './wire.ts'

/** libuv's UV_EOF. */
const END_OF_STREAM = -4095

/**
 * Where all bare wires read to: what arrived is looked at before the next read, and nobody keeps a view of it. Without it
 * libuv gets 64 KiB for each read and gives most of them back.
 */
const received = Buffer.alloc(BARE_READ_BYTES)

/** A target for which a bare wire does. */
export function suitsBareWire({ proxyProtocol }: ProbeTarget): boolean {
  return proxyProtocol === undefined
}

export class BareWire implements Wire {
  readonly tls = undefined
  readonly certificateProblem = undefined
  isOpen = false
  readonly #bare: BareStream
  readonly #handle: StreamHandle
  readonly #target: ProbeTarget
  readonly #user: WireUser
  #isClosed = false

  /** Starts to connect. */
  constructor(bare: BareStream, target: ProbeTarget, user: WireUser) {
    this.#bare = bare
    this.#target = target
    this.#user = user
    this.#handle = bare.tcp.open() as StreamHandle
    this.#connect()
  }

  get endpoints(): Endpoints {
    throw new Error('a bare wire has no PROXY header')
  }

  isConnectedToItself(): boolean {
    const { port, address } = this.#target
    if (!mayBeSourcePort(port)) return false
    const own: SocketName = {}
    return this.#handle.getsockname(own) === 0 && own.port === port && own.address === address
  }

  write(bytes: Uint8Array): void {
    const request = spareRequest ?? this.#bare.writeRequest()
    spareRequest = undefined
    const status = this.#handle.writeBuffer(request, bytes)
    if (status !== 0) return this.#failLater('write', status)
    if (this.#bare.state[this.#bare.lastWriteWasAsync] === 0) {
      // Nothing is left of the request: the next write can have it.
      spareRequest = request
      return
    }
    request.oncomplete = onWritten
    request.handle = this.#handle
    request.bytes = bytes
  }

  startTls(): void {
    throw new Error('a bare wire has no TLS')
  }

  close(): void {
    if (this.#isClosed) return
    this.#end()
    this.#handle.close()
  }

  reset(): void {
    if (this.#isClosed) return
    this.#end()
    if (this.#handle.reset() !== 0) this.#handle.close()
  }

  onConnected(status: number): void {
    if (this.#isClosed) return
    if (status !== 0) return this.#fail('connect', status)
    this.isOpen = true
    const handle = this.#handle
    handle.owner = this
    handle.onread = onRead
    handle.useUserBuffer(received)
    const started = handle.readStart()
    if (started !== 0) return this.#fail('read', started)
    this.#user.onConnect()
  }

  onRead(): void {
    if (this.#isClosed) return
    const bytes = this.#bare.state[this.#bare.readBytesOrError] ?? 0
    if (bytes > 0) {
      this.#user.onData(received.subarray(0, bytes))
    } else if (bytes === END_OF_STREAM) {
      this.isOpen = false
      this.#user.onEnd()
    } else if (bytes < 0) {
      this.#fail('read', bytes)
    }
  }

  onWritten(status: number): void {
    if (!this.#isClosed && status < 0) this.#fail('write', status)
  }

  #connect(): void {
    const { family, address, port, sourceAddress } = this.#target
    const handle = this.#handle
    if (sourceAddress !== undefined) {
      const status = family === 4 ? handle.bind(sourceAddress, 0) : handle.bind6(sourceAddress, 0, 0)
      if (status !== 0) return this.#failLater('bind', status)
    }
    const request = this.#bare.tcp.request()
    request.oncomplete = onConnected
    request.attempt = this
    const status =
      family === 4 ? handle.connect(request, address, port) : handle.connect6(request, address, port)
    if (status !== 0) this.#failLater('connect', status)
  }

  #end(): void {
    this.#isClosed = true
    this.isOpen = false
  }

  /** In a turn of its own: whoever called is not told while it is still calling. */
  #failLater(syscall: string, status: number): void {
    this.isOpen = false
    setImmediate(() => {
      if (!this.#isClosed) this.#fail(syscall, status)
    })
  }

  #fail(syscall: string, status: number): void {
    this.isOpen = false
    this.#user.onError({ syscall, code: errnoName(status) })
  }
}

/** A write that went out at once leaves its request unused. */
let spareRequest: WriteRequest | undefined

function onConnected(this: ConnectRequest, status: number): void {
  ;(this.attempt as BareWire).onConnected(status)
}
function onRead(this: StreamHandle): void {
  ;(this.owner as BareWire).onRead()
}
function onWritten(this: WriteRequest, status: number): void {
  const wire = this.handle?.owner as BareWire | undefined
  wire?.onWritten(status)
}
