/** When a certificate that a member shows is about to expire. */
import { EXPIRY_WARNING_DAYS_DEFAULT } from '../limits.ts'
import type { ProbeTarget } from '../target/probe-target.ts'
import type { MonitorOptions } from './monitor-options.ts'

/** Days before the end of a certificate from which on there is a warning; 0 = never. */
export function expiryWarningDays(options: MonitorOptions | null): number {
  return options?.tls?.expiry_warning_days ?? EXPIRY_WARNING_DAYS_DEFAULT
}

/** Whether probes of a target make TLS handshakes, and so see a certificate. */
export function showsCertificate({ type, tls }: Pick<ProbeTarget, 'type' | 'tls'>): boolean {
  return type === 'HTTPS' || type === 'TLS-HELLO' || tls !== undefined
}
