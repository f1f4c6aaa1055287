/**
 * The source ports of half-open probes. The kernel knows nothing of the packets of a raw socket, so it would give such
 * a port to others too. Therefore each of them is held by a socket that is bound to it, of both families, and neither
 * listens nor connects: nobody else on this host can bind the port, another prober takes the next block, and the kernel
 * answers every SYN-ACK that comes there with the RST that ends the handshake. The ports are outside the range from
 * which the kernel chooses, because there it would have to search around them.
 */
import { DYNAMIC_PORT_MIN, HALF_OPEN_PORTS } from '../../../domain/limits.ts'
import type { BatchCalls } from '../../batch/batch-calls.ts'
import { isLittleEndian } from '../../batch/message-batch.ts'
import type { PortBlock } from '../../batch/packet-filter.ts'

const AF_INET = 2
const AF_INET6 = 10
const SOCK_STREAM_CLOEXEC = 0o2000001
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const OFF = new Uint8Array(4)
const LAST_PORT = 65_535

export class OwnPorts implements PortBlock {
  readonly first: number
  readonly count = HALF_OPEN_PORTS
  readonly #calls: BatchCalls
  readonly #sockets: readonly number[]

  private constructor(calls: BatchCalls, first: number, sockets: readonly number[]) {
    this.#calls = calls
    this.first = first
    this.#sockets = sockets
  }

  /**
   * The highest free block outside `kernel`, the first and the last port from which the kernel chooses; undefined = there
   * is none. A text: no more sockets can be opened, `socket` and its errno.
   */
  static reserve(calls: BatchCalls, kernel: readonly [number, number]): OwnPorts | string | undefined {
    for (let first = LAST_PORT - HALF_OPEN_PORTS + 1; first >= DYNAMIC_PORT_MIN; first -= HALF_OPEN_PORTS) {
      const isOutside = first > kernel[1] || first + HALF_OPEN_PORTS <= kernel[0]
      const sockets = isOutside ? bindAll(calls, first) : undefined
      if (typeof sockets === 'string') return sockets
      if (sockets !== undefined) return new OwnPorts(calls, first, sockets)
    }
    return undefined
  }

  /** Descriptors that hold the ports. */
  get descriptors(): number {
    return this.#sockets.length
  }

  close(): void {
    for (const fd of this.#sockets) this.#calls.close(fd)
  }
}

/** Sockets that are bound to all ports of a block. None of them is open where one failed: see `bound`. */
function bindAll(calls: BatchCalls, first: number): readonly number[] | string | undefined {
  const sockets: number[] = []
  for (let port = first; port < first + HALF_OPEN_PORTS; port++) {
    const fd = bound(calls, port)
    if (typeof fd !== 'number') {
      for (const each of sockets) calls.close(each)
      return fd
    }
    sockets.push(fd)
  }
  return sockets
}

/** A socket that is bound to a port; undefined = the port is taken, a text = no socket can be opened: its errno. */
function bound(calls: BatchCalls, port: number): number | string | undefined {
  const dual = calls.socket(AF_INET6, SOCK_STREAM_CLOEXEC, 0)
  // A host without IPv6.
  const fd = dual >= 0 ? dual : calls.socket(AF_INET, SOCK_STREAM_CLOEXEC, 0)
  if (fd < 0) return `socket ${calls.errno()}`
  const address = new Uint8Array(dual >= 0 ? 28 : 16)
  const view = new DataView(address.buffer)
  view.setUint16(0, dual >= 0 ? AF_INET6 : AF_INET, isLittleEndian)
  view.setUint16(2, port)
  const isDual = dual < 0 || calls.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, OFF, OFF.length) === 0
  if (isDual && calls.bind(fd, address, address.length) === 0) return fd
  calls.close(fd)
  return undefined
}
