/**
 * Raw sockets of `raw-socket`, which comes with `net-ping` (an optional dependency): how one is opened, what is read of it,
 * and what its errors mean.
 */
import { createRequire } from 'node:module'
import { RAW_DRAIN_MAX } from '../domain/limits.ts'
import type { Reason } from '../domain/result/reasons.ts'

/** Whether packets of a protocol and family can be sent; else why not, and the reason for probes that need them. */
export type RawAvailability =
  | { readonly available: true }
  | { readonly available: false; readonly why: string; readonly reason: Reason }

/** The part of raw-socket's socket that is used. `wrap` sends and receives at once, without a queue. */
export interface RawSocket {
  readonly buffer: Buffer
  readonly wrap: {
    send(packet: Buffer, offset: number, length: number, address: string, sent: () => void): void
    recv(buffer: Buffer, received: (buffer: Buffer, bytes: number, source: string) => void): void
  }
  on(event: 'message', listener: (packet: Buffer, source: string) => void): void
  on(event: 'error' | 'close', listener: () => void): void
  removeAllListeners(): void
  setOption(level: number, option: number, value: number | Buffer, length?: number): void
  pauseRecv(): void
  resumeRecv(): void
  close(): void
}

interface RawSocketPackage {
  readonly AddressFamily: { readonly IPv4: number; readonly IPv6: number }
  createSocket(options: { readonly addressFamily: number; readonly protocol: number }): RawSocket
}

const require = createRequire(import.meta.url)

/** Opens a raw socket for an IP protocol, or throws. */
export function openRawSocket(family: 4 | 6, protocol: number): RawSocket {
  // npm decides where it installs the dependency of a dependency.
  const raw = createRequire(require.resolve('net-ping'))('raw-socket') as RawSocketPackage
  return raw.createSocket({ addressFamily: raw.AddressFamily[family === 4 ? 'IPv4' : 'IPv6'], protocol })
}

/** Sends now. Returns the errno of a failure, undefined when the packet was sent. */
export function sendRaw(socket: RawSocket, packet: Buffer, address: string): string | undefined {
  try {
    socket.wrap.send(packet, 0, packet.length, address, () => undefined)
    return undefined
  } catch (error) {
    return errnoOf(error)
  }
}

/**
 * Calls `receive` for every packet in the socket's buffer, so that a burst needs one turn of the event loop. It stops
 * when nothing `isAwaited` any more.
 */
export function receiveAll(
  socket: RawSocket,
  isAwaited: () => boolean,
  receive: (packet: Buffer, source: string) => void,
): void {
  socket.on('message', (packet, source) => {
    receive(packet, source)
    for (let i = 0; i < RAW_DRAIN_MAX && isAwaited(); i++) {
      try {
        socket.wrap.recv(socket.buffer, (buffer, bytes, from) => receive(buffer.subarray(0, bytes), from))
      } catch {
        // EAGAIN: nothing is left. No code of the caller runs inside this try, so none of its errors is lost.
        return
      }
    }
  })
}

/** raw-socket throws strerror's text without a code. */
const ERRNO_OF_TEXT: Readonly<Record<string, string>> = {
  'Operation not permitted': 'EPERM',
  'Permission denied': 'EACCES',
  'Network is unreachable': 'ENETUNREACH',
  'No route to host': 'EHOSTUNREACH',
  'Network is down': 'ENETDOWN',
  'No buffer space available': 'ENOBUFS',
  'Resource temporarily unavailable': 'EAGAIN',
  'Cannot allocate memory': 'ENOMEM',
  'Cannot assign requested address': 'EADDRNOTAVAIL',
  'Too many open files': 'EMFILE',
  'Too many open files in system': 'ENFILE',
  'Address family not supported by protocol': 'EAFNOSUPPORT',
  'Invalid argument': 'EINVAL',
}

/** Errors of opening a socket that may be gone at the next attempt. */
const OUT_OF_SOMETHING: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])

function errnoOf(error: unknown): string {
  return ERRNO_OF_TEXT[(error as Error).message] ?? 'EIO'
}

/** Why a raw socket could not be opened. */
export function unavailable(error: unknown): RawAvailability {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'MODULE_NOT_FOUND') {
    const why = 'the optional package net-ping is not installed or not built'
    return { available: false, why, reason: 'PROBER_UNSUPPORTED' }
  }
  if (errnoOf(error) === 'EPERM' || errnoOf(error) === 'EACCES') {
    return {
      available: false,
      why: 'no right to open a raw socket (CAP_NET_RAW)',
      reason: 'PROBER_FORBIDDEN',
    }
  }
  const reason = OUT_OF_SOMETHING.has(errnoOf(error)) ? 'PROBER_NO_SOCKET' : 'PROBER_UNSUPPORTED'
  return { available: false, why: `no raw socket: ${message}`, reason }
}

/** Whether it makes no sense to try again. */
export function isUnavailableForGood(availability: RawAvailability): boolean {
  return !availability.available && availability.reason !== 'PROBER_NO_SOCKET'
}

const SOL_SOCKET = 1
const SO_RCVBUFFORCE = 33
const SOL_RAW = 255
const IPPROTO_ICMPV6 = 58
const ICMP_FILTER = 1

/** Linux: room for a burst, where this process may ask for it. */
export function growReceiveBuffer(socket: RawSocket, bytes: number): void {
  setIfPossible(() => socket.setOption(SOL_SOCKET, SO_RCVBUFFORCE, bytes))
}

/** Linux: a raw ICMP socket receives only messages of these types. */
export function filterIcmp(socket: RawSocket, family: 4 | 6, types: readonly number[]): void {
  if (family === 4) {
    const blocked = types.reduce((mask, type) => mask & ~(1 << type), ~0) >>> 0
    return setIfPossible(() => socket.setOption(SOL_RAW, ICMP_FILTER, blocked))
  }
  // 256 bits, set = blocked, in 32-bit words of the host's order; every platform of ours is little-endian.
  const blocked = Buffer.alloc(32, 0xff)
  for (const type of types) blocked.writeUInt8((blocked[type >> 3] ?? 0) & ~(1 << (type & 7)), type >> 3)
  setIfPossible(() => socket.setOption(IPPROTO_ICMPV6, ICMP_FILTER, blocked, blocked.length))
}

/** Only an optimisation: without the filter more packets are read, with a small buffer fewer packets of a burst fit. */
function setIfPossible(setOption: () => void): void {
  if (process.platform !== 'linux') return
  try {
    setOption()
  } catch {
    return
  }
}
