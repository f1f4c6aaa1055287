/** What a UDP probe sends, and whether a reply is the expected one. */
import { UDP_PAYLOAD } from '../../domain/limits.ts'
import type { ProbeTarget, UdpExchange } from '../../domain/target/probe-target.ts'

const PAYLOAD = Buffer.from(UDP_PAYLOAD, 'latin1')

export function datagramTo({ udp }: ProbeTarget): Uint8Array {
  return udp?.payload ?? PAYLOAD
}

/** `bytes`: the first ones of a reply of `length` bytes, at least as many as the pattern has; the reply begins at `from`. */
export function isExpectedReply(
  bytes: Uint8Array,
  length: number,
  udp: UdpExchange | undefined,
  from = 0,
): boolean {
  const pattern = udp?.replyPattern
  if (length < (udp?.minReplyBytes ?? pattern?.length ?? 0) || length > (udp?.maxReplyBytes ?? length))
    return false
  return pattern?.every((byte, i) => byte === null || i >= length || byte === bytes[from + i]) ?? true
}
