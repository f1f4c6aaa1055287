/** Calls of this host between which the garbage collector runs, and what it freed is overwritten. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { BatchCalls } from '../../src/probe/batch/batch-calls.ts'

export function collectingKernel(calls: BatchCalls): BatchCalls {
  const collecting = collectingCalls()
  return {
    ...calls,
    sendmmsg: collecting((...values: Parameters<BatchCalls['sendmmsg']>) => calls.sendmmsg(...values)),
    recvmmsg: collecting((...values: Parameters<BatchCalls['recvmmsg']>) => calls.recvmmsg(...values)),
    setsockopt: collecting((...values: Parameters<BatchCalls['setsockopt']>) => calls.setsockopt(...values)),
  }
}

/** Makes of a call one before which the garbage collector runs, and what it freed is overwritten. */
export function collectingCalls(): <F extends (...values: never[]) => unknown>(call: F) => F {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  return <F extends (...values: never[]) => unknown>(call: F): F =>
    ((...values: never[]) => {
      collect()
      Array.from({ length: 20 }, (_, i) => new Uint8Array(64 * (i + 1) * 8).fill(0xa5))
      return call(...values)
    }) as F
}
