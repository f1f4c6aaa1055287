/** Options of raw sockets. */
import { isLittleEndian } from './message-batch.ts'

const SOL_SOCKET = 1
const SO_TIMESTAMPNS = 35

/** An option that the socket must have; `name` for the log. */
export interface SocketOption {
  readonly level: number
  readonly option: number
  readonly value: Uint8Array
  readonly name: string
}

/** The kernel says when a packet arrived (arrival-times.ts). */
export const STAMPED: SocketOption = {
  level: SOL_SOCKET,
  option: SO_TIMESTAMPNS,
  value: word(1),
  name: 'SO_TIMESTAMPNS',
}

/** A number as the kernel reads it. */
export function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setInt32(0, value, isLittleEndian)
  return bytes
}
