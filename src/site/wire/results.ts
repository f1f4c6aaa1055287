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
 * Whether a value has the shape that the relay relies on. Values of fields are the database's to refuse, row by row: who has a
 * site's credential may send anything.
 */
export function isResult(value: unknown): value is ResultMessage {
  if (!isObject(value) || typeof value['owner'] !== 'string') return false
  const { kind, rows } = value
  if (kind === 'claim' || kind === 'release') return isPosition(value['shard']) && isPosition(value['epoch'])
  if (kind !== 'verdicts' && kind !== 'certificates') return false
  const isRow = (row: unknown): boolean =>
    isObject(row) &&
    typeof row['memberId'] === 'string' &&
    isPosition(row['shard']) &&
    isPosition(row['epoch']) &&
    (kind === 'certificates' || (Array.isArray(row['transitions']) && row['transitions'].every(isObject)))
  return Array.isArray(rows) && rows.every(isRow)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isPosition(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

/**
 * The id by which the server knows a message that it has already: of what it says, so that one which was sent twice because
 * the answer was lost is kept once, and another one of the same rows is not mistaken for it.
 */
export function idOf(payload: Uint8Array, shard: number, epoch: number): string {
  return `${shard}.${epoch}.${createHash('sha256').update(payload).digest('base64url').slice(0, 22)}`
}
