/** The system calls of a conversation on a socket, beside those of batch/batch-calls.ts. */
import { type BatchCalls, findBatchCalls } from '../../batch/batch-calls.ts'
import { type Koffi, requireKoffi } from '../../tcp/libc.ts'

/** Return values are those of the manual pages: -1 is a failure, and `errno` gives its number. */
export interface StreamCalls extends BatchCalls {
  send(fd: number, bytes: Uint8Array, count: number, flags: number): number
  shutdown(fd: number, how: number): number
}

/** The functions, or undefined where they cannot be called. `loadKoffi` is replaced in tests. */
export function findStreamCalls(loadKoffi: () => Koffi = requireKoffi): StreamCalls | undefined {
  const calls = findBatchCalls(loadKoffi)
  if (calls === undefined) return undefined
  try {
    const library = loadKoffi().load(null)
    return {
      ...calls,
      send: library.func('long send(int, void *, size_t, int)'),
      shutdown: library.func('int shutdown(int, int)'),
    }
  } catch {
    return undefined
  }
}
