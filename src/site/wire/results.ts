/**
 * Messages of the stream of results. Their order in the stream is the fence: what an owner of a shard has sent before the
 * claim of the next one counts, what it sends after it does not.
 */
import { createHash } from 'node:crypto'
import type { CertificateWrite, VerdictWrite } from '../../domain/prober/check.ts'

/** The shard has another owner from here on. */
export interface ClaimMessage {
  readonly kind: 'claim'
  readonly shard: number
  readonly epoch: number
  readonly owner: string
}

/** The shard has no owner, unless it was claimed meanwhile. */
export interface ReleaseMessage {
  readonly kind: 'release'
  readonly shard: number
  readonly epoch: number
  readonly owner: string
}

/** Rows of one shard at one epoch. */
export interface VerdictsMessage {
  readonly kind: 'verdicts'
  readonly owner: string
  readonly rows: readonly VerdictWrite[]
}

export interface CertificatesMessage {
  readonly kind: 'certificates'
  readonly owner: string
  readonly rows: readonly CertificateWrite[]
}

export type ResultMessage = ClaimMessage | ReleaseMessage | VerdictsMessage | CertificatesMessage

/**
 * The id by which the server knows a message that it has already: of what it says, so that one which was sent twice because
 * the answer was lost is kept once, and another one of the same rows is not mistaken for it.
 */
export function idOf(payload: Uint8Array, shard: number, epoch: number): string {
  return `${shard}.${epoch}.${createHash('sha256').update(payload).digest('base64url').slice(0, 22)}`
}
