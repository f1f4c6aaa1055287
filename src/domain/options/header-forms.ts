/** Forms that the options of HTTP and of gRPC share: names and values of headers, and authorities. */
import { OPTION_HEADER_VALUE_MAX } from '../limits.ts'
import type { OptionForm } from './option.ts'

/** Headers to add or to remove, entries of metadata (Kuma 16 per list, Envoy 1000). */
export const HEADERS_MAX = 32

/** Visible ASCII and spaces between: neither controls nor bytes that two readers read differently. */
export const FIELD_VALUE = /^([!-~]([ -~]*[!-~])?)?$/

/** A token (RFC 9110 section 5.6.2), as long as Kuma's. */
export const HEADER_NAME = {
  kind: 'text',
  max: 256,
  pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/,
} as const satisfies OptionForm

export const HEADER_VALUE = {
  kind: 'text',
  max: OPTION_HEADER_VALUE_MAX,
  pattern: FIELD_VALUE,
} as const satisfies OptionForm

/** A name or address, an IPv6 address in brackets, with a port or without. */
export const AUTHORITY = {
  max: 255,
  pattern: /^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$/,
} as const
