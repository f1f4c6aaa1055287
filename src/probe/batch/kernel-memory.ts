/**
 * Memory whose address the kernel is given. The address is a number: nobody sees that the memory is still needed. So
 * whoever writes the address somewhere holds this object for as long as a system call may read it.
 */
import type { BatchCalls } from './batch-calls.ts'

export class KernelMemory {
  readonly address: bigint
  readonly bytes: Uint8Array
  readonly view: DataView
  /** The same, as 32-bit words in the order of the host. */
  readonly words: Uint32Array

  /** `size`: bytes, a multiple of 8. */
  constructor(calls: Pick<BatchCalls, 'addressOf'>, size: number) {
    // An ArrayBuffer of its own: V8 keeps small typed arrays in its heap, where they move.
    const buffer = new ArrayBuffer(size)
    this.bytes = new Uint8Array(buffer)
    this.view = new DataView(buffer)
    this.words = new Uint32Array(buffer)
    this.address = calls.addressOf(this.bytes)
  }
}
