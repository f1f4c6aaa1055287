/** Secrets of webhooks, as Standard Webhooks has them: `whsec_` and base64 of 24 to 64 bytes. */
import { WEBHOOK_SECRET_BYTES } from '../limits.ts'

export const SECRET_PREFIX = 'whsec_'
const FORM = /^whsec_[A-Za-z0-9+/]+={0,2}$/

/** Whether a text is a secret that every library of Standard Webhooks takes. */
export function isSecret(text: string): boolean {
  if (!FORM.test(text)) return false
  const encoded = text.slice(SECRET_PREFIX.length)
  if (encoded.length % 4 !== 0) return false
  const padding = encoded.endsWith('==') ? 2 : encoded.endsWith('=') ? 1 : 0
  const bytes = (encoded.length / 4) * 3 - padding
  return bytes >= WEBHOOK_SECRET_BYTES.min && bytes <= WEBHOOK_SECRET_BYTES.max
}
