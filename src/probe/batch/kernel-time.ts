/** Times of the kernel's wall clock, in microseconds: its clock, and its stamps on what has arrived. */
import type { BatchCalls } from './batch-calls.ts'
import { isLittleEndian, type MessageBatch } from './message-batch.ts'

const SOL_SOCKET = 1
const SCM_TIMESTAMPNS = 35
const CLOCK_REALTIME = 0
/** struct cmsghdr, then a struct timespec. */
const STAMP_BYTES = 32
const TIMESPEC_BYTES = 16

export class KernelClock {
  readonly #calls: Pick<BatchCalls, 'clock_gettime'>
  readonly #time = new DataView(new ArrayBuffer(TIMESPEC_BYTES))
  readonly #bytes = new Uint8Array(this.#time.buffer)

  constructor(calls: Pick<BatchCalls, 'clock_gettime'>) {
    this.#calls = calls
  }

  /** Now; 0 = not known. */
  nowUs(): number {
    if (this.#calls.clock_gettime(CLOCK_REALTIME, this.#bytes) !== 0) return 0
    return microseconds(this.#time, 0)
  }
}

/** When message `i` arrived; 0 where the kernel does not say it, as for the first one after it was asked to. */
export function arrivedUs(messages: MessageBatch, i: number): number {
  if (messages.controlLengthOf(i) < STAMP_BYTES) return 0
  const { view } = messages.controls
  const at = i * messages.shape.control
  if (view.getInt32(at + 8, isLittleEndian) !== SOL_SOCKET) return 0
  if (view.getInt32(at + 12, isLittleEndian) !== SCM_TIMESTAMPNS) return 0
  return microseconds(view, at + 16)
}

/** Of a struct timespec with two 64-bit numbers; its seconds are below 2^53. */
function microseconds(view: DataView, at: number): number {
  const [low, high] = isLittleEndian ? [0, 4] : [4, 0]
  const seconds =
    view.getUint32(at + high, isLittleEndian) * 2 ** 32 + view.getUint32(at + low, isLittleEndian)
  return seconds * 1e6 + view.getUint32(at + 8 + low, isLittleEndian) / 1000
}
