/** What lists and counts say of certificates. */

/**
 * Of rows of `shown_certificate`: it ends soon, or has ended. The index of those that had an event finds them, within a second of
 * the time; `warn_at` may have changed since.
 */
export const IS_EXPIRING = 'expiring_told = not_after and warn_at <= now()'
