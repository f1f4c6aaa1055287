/**
 * How many items the lists of an object may have, where Octavia names no bound. A list that was stored before there was
 * a limit may be sent again, whole or shorter: only new items must fit.
 */
import {
  OCTAVIA_ALPN_PROTOCOLS_MAX,
  OCTAVIA_CIDRS_MAX,
  OCTAVIA_SECURITY_GROUPS_MAX,
  OCTAVIA_SNI_REFS_MAX,
  OCTAVIA_TAGS_MAX,
  OCTAVIA_TLS_VERSIONS_MAX,
} from './limits.ts'
import { pythonText } from './schema/python-text.ts'
import { invalid } from './schema/wsme.ts'

/** Items at most, by attribute. */
export const OCTAVIA_LIST_BOUNDS: Readonly<Record<string, number>> = {
  tags: OCTAVIA_TAGS_MAX,
  allowed_cidrs: OCTAVIA_CIDRS_MAX,
  sni_container_refs: OCTAVIA_SNI_REFS_MAX,
  tls_versions: OCTAVIA_TLS_VERSIONS_MAX,
  alpn_protocols: OCTAVIA_ALPN_PROTOCOLS_MAX,
  vip_sg_ids: OCTAVIA_SECURITY_GROUPS_MAX,
}

/** Throws INVALID_FIELD when an attribute is a list that is too long and has something that is not stored. */
export function assertListBound(name: string, sent: unknown, stored: unknown): void {
  const max = OCTAVIA_LIST_BOUNDS[name]
  if (max === undefined || !Array.isArray(sent) || sent.length <= max) return
  const known = new Set<unknown>(Array.isArray(stored) ? stored : [])
  if (sent.every((item) => known.has(item))) return
  throw invalid(name, pythonText(sent), `Value should have at most ${max} items`)
}
