/**
 * The certificates that targets show: what differs from what was shown before is written, batched and in turn by project. Who
 * shows the same as ever costs a comparison per handshake. What a prober before knew is not read: PostgreSQL leaves rows as they
 * are that would not change.
 *
 * Several servers may answer behind one address and show different certificates. The one that ends first counts: a later end is
 * taken at once (a renewal), unless the earlier one comes back; then that holds until it was not seen for CERTIFICATE_HOLD_MS.
 */
import type { CertificateWrite } from '../../domain/prober/check.ts'
import {
  CERTIFICATE_FLUSH_MS,
  CERTIFICATE_HOLD_MS,
  FLUSH_RETRY_MS,
  FLUSH_ROWS_MAX,
} from '../../domain/limits.ts'
import type { LeafCertificate } from '../../domain/result/leaf-certificate.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import type { Check } from '../loop/check.ts'
import type { Log } from '../log.ts'
import { PendingWrites } from './pending-writes.ts'

export interface ShownCertificatesOptions {
  /** Writes rows in one statement, those of shards that are still ours at those epochs. */
  readonly write: (rows: readonly CertificateWrite[]) => Promise<void>
  /** The epoch at which this prober owns a shard; undefined = it does not. */
  readonly epochOf: (shard: number) => number | undefined
  readonly log: Log
}

/** What a check shows, as it was given to be written. */
interface Shown {
  /** With another target it means nothing. */
  readonly target: ProbeTarget
  /** The one that it was given to be written with. */
  generation: number
  certificate: LeafCertificate
  warningDays: number
  /** Monotonic milliseconds: until then a certificate that ends later is not taken. */
  heldUntilMs: number
}

export class ShownCertificates {
  readonly #options: ShownCertificatesOptions
  readonly #shown = new WeakMap<Check, Shown>()
  readonly #pending = new PendingWrites<CertificateWrite>((_, newer) => newer)
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined
  #isAway = false
  #isDestroyed = false

  constructor(options: ShownCertificatesOptions) {
    this.#options = options
  }

  /** Members whose certificate is not written yet. */
  get waiting(): number {
    return this.#pending.size
  }

  /** After each probe; `certificate` undefined: it made no full handshake, and what is known stays. */
  note(check: Check, certificate: LeafCertificate | undefined, nowMs: number): void {
    const { target, generation, expiryWarningDays: warningDays } = check.config
    if (warningDays === undefined) return
    const known = this.#shown.get(check)
    const isAnew = known?.generation !== generation
    if (known?.target !== target || (isAnew && certificate !== undefined)) {
      if (certificate === undefined) return
      const shown = { target, generation, certificate, warningDays, heldUntilMs: nowMs }
      this.#shown.set(check, shown)
      this.#offer(check, shown)
      return
    }
    const hasChanged = certificate !== undefined && takes(known, certificate, nowMs)
    // Of a new generation on a kept connection there is no handshake: what its target showed before still holds.
    if (!hasChanged && !isAnew && known.warningDays === warningDays) return
    known.generation = generation
    known.warningDays = warningDays
    this.#offer(check, known)
  }

  /** Forgets what waits for these shards: they are no longer ours. */
  dropShards(shards: ReadonlySet<number>): void {
    this.#pending.dropShards(shards)
  }

  /** Ends. What waits is lost: the next owner sees it too. */
  async close(): Promise<void> {
    this.destroy()
    await this.#writing
  }

  destroy(): void {
    this.#isDestroyed = true
    clearTimeout(this.#timer)
  }

  #offer({ config }: Check, { certificate, generation, warningDays }: Shown): void {
    const { memberId, projectId, shard } = config
    const epoch = this.#options.epochOf(shard)
    if (epoch === undefined) return
    const { notAfter, subject, issuer } = certificate
    this.#pending.add({
      memberId,
      projectId,
      shard,
      epoch,
      generation,
      notAfter,
      subject,
      issuer,
      warningDays,
    })
    this.#arm(CERTIFICATE_FLUSH_MS)
  }

  #arm(inMs: number): void {
    if (this.#timer !== undefined || this.#writing !== undefined || this.#isDestroyed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#writing = this.#flush().finally(() => {
        this.#writing = undefined
        if (this.#pending.size > 0) this.#arm(this.#isAway ? FLUSH_RETRY_MS.max : 0)
      })
    }, inMs)
  }

  async #flush(): Promise<void> {
    const rows = this.#pending.take(FLUSH_ROWS_MAX)
    try {
      await this.#options.write(rows)
      this.#isAway = false
    } catch (error) {
      if (this.#isDestroyed) return
      if (!this.#isAway)
        this.#options.log.warn({ err: error }, 'certificates cannot be written; they are kept')
      this.#isAway = true
      // Those of shards that were lost meanwhile belong to others.
      this.#pending.putBack(rows.filter(({ shard, epoch }) => this.#options.epochOf(shard) === epoch))
    }
  }
}

/** Takes a certificate that was shown; false = nothing has changed. */
function takes(known: Shown, certificate: LeafCertificate, nowMs: number): boolean {
  const { notAfter } = known.certificate
  const isHeld = nowMs < known.heldUntilMs
  if (certificate.notAfter === notAfter) {
    if (isHeld) known.heldUntilMs = nowMs + CERTIFICATE_HOLD_MS
    return false
  }
  if (certificate.notAfter > notAfter && isHeld) return false
  if (certificate.notAfter < notAfter) known.heldUntilMs = nowMs + CERTIFICATE_HOLD_MS
  known.certificate = certificate
  return true
}
