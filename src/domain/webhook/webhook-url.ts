/** Which URLs a webhook may have. Addresses behind names are checked when something is sent. */
import type { TargetPolicy } from '../address/target-policy.ts'
import { WEBHOOK_URL_MAX } from '../limits.ts'

/** Printable ASCII without spaces: other characters come percent-encoded or in punycode. */
const PRINTABLE = /^[\x21-\x7e]+$/

/** Why a webhook must not have this URL, as a sentence; undefined when it may. */
export function urlProblem(text: string, policy: TargetPolicy): string | undefined {
  if (text.length > WEBHOOK_URL_MAX) return `at most ${WEBHOOK_URL_MAX} characters are allowed`
  if (!PRINTABLE.test(text) || !URL.canParse(text)) return 'it is not a URL in printable ASCII'
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'its scheme must be http or https'
  if (url.username !== '' || url.password !== '') return 'it must not contain a user or a password'
  if (url.hash !== '') return 'it must not contain a fragment'
  const literal = literalHost(url)
  return literal === undefined ? undefined : policy(literal, portOf(url))
}

/** The IP address of a URL that names one. URL parsers bring every spelling of IPv4 (0x7f.1) into the plain one. */
export function literalHost({ hostname }: URL): string | undefined {
  if (hostname.startsWith('[')) return hostname.slice(1, -1)
  return /^\d+\.\d+\.\d+\.\d+$/.test(hostname) ? hostname : undefined
}

export function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port)
  return protocol === 'https:' ? 443 : 80
}
