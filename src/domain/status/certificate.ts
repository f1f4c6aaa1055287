/** The certificate of a member as it is shown: when it ends, and whether that is soon. */

/** What is known of it. */
export interface KnownCertificate {
  readonly notAfter: Date
  /** From when on there is a warning; null = never. */
  readonly warnAt: Date | null
  /** As the target says it; empty = it names none. */
  readonly subject: string
  readonly issuer: string
}

export interface MemberCertificate extends Omit<KnownCertificate, 'warnAt'> {
  /** Whole days that are left; below 0: it has expired. */
  readonly daysLeft: number
  /** It ends within the days of `tls.expiry_warning_days`, or has expired; never with 0 days. */
  readonly expiring: boolean
}

const DAY_MS = 86_400_000

export function memberCertificate({ warnAt, ...known }: KnownCertificate, at: Date): MemberCertificate {
  return {
    ...known,
    daysLeft: Math.floor((known.notAfter.getTime() - at.getTime()) / DAY_MS),
    expiring: warnAt !== null && warnAt <= at,
  }
}
