/**
 * The system calls of Linux that TCP probes use, called without a stream, a handle or a callback between
 * (docs/adr/0017-tcp-by-system-calls.md has the numbers). They come through `koffi`, an optional dependency with
 * prebuilt binaries.
 *
 * They are tried once: a socket connects to itself, is dissolved and connects again. Where anything is not as expected
 * (no package, no glibc or musl, another layout, a sandbox that refuses) these calls are not used, and probes use
 * `net.Socket`.
 */
import { createRequire } from 'node:module'

/** Return values are those of the manual pages: -1 is a failure, and `errno` gives its number. */
export interface Libc {
  socket(family: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array, bytes: number): number
  connect(fd: number, address: Uint8Array, bytes: number): number
  close(fd: number): number
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, bytes: number): number
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, bytes: Uint8Array): number
  getsockname(fd: number, address: Uint8Array, bytes: Uint8Array): number
  /** 1 = written to `into` in network order. */
  inet_pton(family: number, address: string, into: Uint8Array): number
  epoll_create1(flags: number): number
  epoll_ctl(epoll: number, operation: number, fd: number, event: Uint8Array): number
  epoll_wait(epoll: number, events: Uint8Array, count: number, timeoutMs: number): number
  errno(): number
}

/** The part of koffi that is used. */
export interface Koffi {
  load(library: null): { func(prototype: string): (...values: readonly unknown[]) => number }
  errno(): number
  /** Where the bytes of this array are, as long as it lives. */
  address(of: Uint8Array): bigint
}

/** The functions of libc, or undefined where they cannot be called. `loadKoffi` is replaced in tests. */
export function findLibc(loadKoffi: () => Koffi = requireKoffi): Libc | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    return declare(loadKoffi())
  } catch {
    // Not installed, or not for this machine: nothing is lost but speed.
    return undefined
  }
}

function declare(koffi: Koffi): Libc {
  const library = koffi.load(null)
  return {
    socket: library.func('int socket(int, int, int)'),
    bind: library.func('int bind(int, void *, uint)'),
    connect: library.func('int connect(int, void *, uint)'),
    close: library.func('int close(int)'),
    setsockopt: library.func('int setsockopt(int, int, int, void *, uint)'),
    getsockopt: library.func('int getsockopt(int, int, int, void *, void *)'),
    getsockname: library.func('int getsockname(int, void *, void *)'),
    inet_pton: library.func('int inet_pton(int, const char *, void *)'),
    epoll_create1: library.func('int epoll_create1(int)'),
    epoll_ctl: library.func('int epoll_ctl(int, int, int, void *)'),
    epoll_wait: library.func('int epoll_wait(int, void *, int, int)'),
    errno: () => koffi.errno(),
  }
}

/** The package; throws where it cannot be loaded. */
export function requireKoffi(): Koffi {
  return createRequire(import.meta.url)('koffi') as Koffi
}
