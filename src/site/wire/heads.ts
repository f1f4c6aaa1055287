/**
 * Headers: of parts of snapshots and of checkpoints (whose digest is that of nothing), and the clock of who has sent results.
 */
import { headers, type MsgHdrs } from '@nats-io/transport-node'
import type { SnapshotHead } from './snapshot.ts'

const DIGEST = 'Hm-Digest'
const SENDING = 'Hm-Sending'
const PARTS = 'Hm-Parts'
const THROUGH = 'Hm-Through'

export function headersOf({ digest, sending, parts, through }: SnapshotHead): MsgHdrs {
  const made = headers()
  made.set(DIGEST, digest)
  made.set(SENDING, sending)
  made.set(PARTS, String(parts))
  made.set(THROUGH, String(through))
  return made
}

/** undefined: no part has such headers. */
export function headOf(given: MsgHdrs | undefined): SnapshotHead | undefined {
  const parts = Number(given?.get(PARTS))
  const through = Number(given?.get(THROUGH))
  const sending = given?.get(SENDING) ?? ''
  if (!Number.isSafeInteger(parts) || parts < 1 || !Number.isSafeInteger(through) || sending === '')
    return undefined
  return { digest: given?.get(DIGEST) ?? '', sending, parts, through }
}

const SENT_AT = 'Hm-Sent-At'

/** What the clock here says. It is no part of the message: one that is sent again is the same message. */
export function sentNow(): MsgHdrs {
  const made = headers()
  made.set(SENT_AT, String(Date.now()))
  return made
}

/**
 * Milliseconds to add to times of the sender, when its clock is further than `toleranceMs` from the server's that has stamped
 * the message; else 0.
 */
export function correctionOf(given: MsgHdrs | undefined, stampedMs: number, toleranceMs: number): number {
  const sentMs = Number(given?.get(SENT_AT))
  if (!Number.isFinite(sentMs) || sentMs <= 0) return 0
  const offMs = stampedMs - sentMs
  return Math.abs(offMs) > toleranceMs ? Math.round(offMs) : 0
}
