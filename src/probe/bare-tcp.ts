/**
 * TCP connections on the handle below `net.Socket`: the same libuv calls without the stream, its listeners and its ticks,
 * which cost more than the connection itself (docs/adr/0010-bare-tcp-handle.md has the numbers).
 *
 * `process.binding` is not a public API. It is looked at once, by what it has and by trying it; where anything is not as
 * expected (another runtime, a permission model, a later Node) there is no bare handle, and `net.Socket` does the work.
 * It prints no warning on Node 20 to 24; with `--pending-deprecation` it would (DEP0111), so there it is not touched.
 */
import { getSystemErrorName } from 'node:util'

/** Called once for each `connect` that returned 0, never before it returned; status < 0 is an errno of libuv. */
export type OnConnected = (this: ConnectRequest, status: number) => void

export interface ConnectRequest {
  oncomplete: OnConnected
  /** Ours: what is waiting. */
  attempt?: unknown
}

/** The part of Node's TCP handle that is used. Everything returns 0 or a negative errno of libuv. */
export interface TcpHandle {
  bind(address: string, port: number): number
  bind6(address: string, port: number, flags: number): number
  connect(request: ConnectRequest, address: string, port: number): number
  connect6(request: ConnectRequest, address: string, port: number): number
  getsockname(name: SocketName): number
  /** Closes with an RST. */
  reset(): number
  close(): void
}

export interface SocketName {
  address?: string
  port?: number
}

export interface BareTcp {
  readonly open: () => TcpHandle
  readonly request: () => ConnectRequest
}

interface TcpBinding {
  readonly TCP: new (type: number) => TcpHandle
  readonly TCPConnectWrap: new () => ConnectRequest
  readonly constants: { readonly SOCKET: number }
}

const METHODS = ['bind', 'bind6', 'connect', 'connect6', 'getsockname', 'reset', 'close'] as const

/** The bare handles of this runtime; undefined where they are not what is expected. `bindingOf` is replaced in tests. */
export function findBareTcp(bindingOf: (name: string) => unknown = processBinding): BareTcp | undefined {
  try {
    const { TCP, TCPConnectWrap, constants } = bindingOf('tcp_wrap') as TcpBinding
    const bare: BareTcp = {
      open: () => new TCP(constants.SOCKET),
      request: () => new TCPConnectWrap(),
    }
    return works(bare) ? bare : undefined
  } catch {
    // Refused or absent: the public way is always there.
    return undefined
  }
}

/** `process.binding`, where it can be asked without a warning. */
export function processBinding(name: string): unknown {
  if (
    process.execArgv
      .concat(process.env['NODE_OPTIONS'] ?? '')
      .some((flag) => flag.includes('--pending-deprecation'))
  )
    return undefined
  const binding: unknown = Reflect.get(process, 'binding')
  return typeof binding === 'function' ? (Reflect.apply(binding, process, [name]) as unknown) : undefined
}

/** A socket of its own on loopback, bound and named and closed, at once: all that can be tried without waiting. */
function works(bare: BareTcp): boolean {
  const handle = bare.open()
  if (METHODS.some((method) => typeof handle[method] !== 'function')) return false
  const name: SocketName = {}
  const isBound = handle.bind('127.0.0.1', 0) === 0 && handle.getsockname(name) === 0
  handle.close()
  return (
    isBound &&
    name.address === '127.0.0.1' &&
    typeof name.port === 'number' &&
    typeof bare.request() === 'object'
  )
}

/** The name of an errno, as errors of `net.Socket` have it in `code`. */
export function errnoName(status: number): string {
  return getSystemErrorName(status)
}
