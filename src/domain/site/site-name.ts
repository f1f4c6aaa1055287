/**
 * The name of a site: a label as DNS has them, in small letters (RFC 1123 section 2.1), so that it fits into a subject, a
 * metric and an address.
 */
import { SITE_NAME_MAX } from '../limits.ts'

/** Without its length, which is 1 to SITE_NAME_MAX characters. */
export const SITE_NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/

export function isSiteName(text: string): boolean {
  return text.length <= SITE_NAME_MAX && SITE_NAME.test(text)
}
