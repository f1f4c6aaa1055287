/** Socket addresses (struct sockaddr_in, sockaddr_in6) as system calls take them. */
import { WORDS_PER_ADDRESS } from './batch-targets.ts'
import type { IpFamily } from './ip-family.ts'
import { isLittleEndian } from './message-batch.ts'

const PORT_AT = 2

/** The address of a slot in `addresses` (batch-targets.ts), with this port; 0 = any port. */
export function socketName(family: IpFamily, addresses: Uint32Array, slot: number, port = 0): Uint8Array {
  const { af, nameLength, words, addressAt } = family
  const bytes = new Uint8Array(nameLength)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, af, isLittleEndian)
  view.setUint16(PORT_AT, port)
  const from = slot * WORDS_PER_ADDRESS
  new Uint32Array(bytes.buffer, addressAt, words).set(addresses.subarray(from, from + words))
  return bytes
}
