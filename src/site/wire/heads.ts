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

const CLOCK_OFF = 'Hm-Clock-Off'

/** By how many milliseconds the server's clock is ahead of ours. No part of the message: one sent again is the same message. */
export function withClockOff(offMs: number, made: MsgHdrs = headers()): MsgHdrs {
  made.set(CLOCK_OFF, String(Math.round(offMs)))
  return made
}

/** Milliseconds to add to times of the sender, when its clock is further than `toleranceMs` from the server's; else 0. */
export function correctionOf(given: MsgHdrs | undefined, toleranceMs: number): number {
  const offMs = Number(given?.get(CLOCK_OFF))
  return Number.isSafeInteger(offMs) && Math.abs(offMs) > toleranceMs ? offMs : 0
}
