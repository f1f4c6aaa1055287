/** Bytes of `send` and `receive` (docs/peers/kuma.md 11): base64 of either alphabet, padded or not. */

const EITHER = /^[A-Za-z0-9+/_-]*={0,2}$/

/** The same bytes in the standard alphabet, padded (RFC 4648 section 4); undefined when it is no base64. */
export function standardBase64(text: string): string | undefined {
  if (!EITHER.test(text)) return undefined
  const digits = text.replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/')
  const rest = digits.length % 4
  if (rest === 1) return undefined
  const padded = digits + '='.repeat((4 - rest) % 4)
  return text.includes('=') && text.length !== padded.length ? undefined : padded
}
