/**
 * The system calls of Linux that send and receive many messages at a time, beside those of tcp/libc.ts. They are
 * declared apart, so that a libc without them loses nothing but them.
 */
import { findLibc, type Koffi, type Libc, requireKoffi } from '../tcp/libc.ts'

/** Return values are those of the manual pages: -1 is a failure, and `errno` gives its number. */
export interface BatchCalls extends Libc {
  sendmmsg(fd: number, messages: Uint8Array, count: number, flags: number): number
  recvmmsg(fd: number, messages: Uint8Array, count: number, flags: number, timeout: null): number
  recv(fd: number, into: Uint8Array, bytes: number, flags: number): number
  clock_gettime(clock: number, time: Uint8Array): number
  /** Where the bytes of this array are, as long as it lives. */
  addressOf(bytes: Uint8Array): bigint
}

/** Architectures whose structures have 64-bit pointers and lengths, as message-batch.ts writes them. */
const ARCHITECTURES: readonly string[] = ['x64', 'arm64', 'ppc64', 's390x', 'riscv64', 'loong64']

/** The functions, or undefined where they cannot be called. `loadKoffi` is replaced in tests. */
export function findBatchCalls(loadKoffi: () => Koffi = requireKoffi): BatchCalls | undefined {
  const libc = ARCHITECTURES.includes(process.arch) ? findLibc(loadKoffi) : undefined
  if (libc === undefined) return undefined
  try {
    const koffi = loadKoffi()
    const library = koffi.load(null)
    return {
      ...libc,
      sendmmsg: library.func('int sendmmsg(int, void *, uint, int)'),
      recvmmsg: library.func('int recvmmsg(int, void *, uint, int, void *)'),
      recv: library.func('long recv(int, void *, size_t, int)'),
      clock_gettime: library.func('int clock_gettime(int, void *)'),
      addressOf: (bytes) => koffi.address(bytes),
    }
  } catch {
    // An old libc: probes go by the calls that it has.
    return undefined
  }
}
