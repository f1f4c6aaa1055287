/** kumactl sends its token as `Authorization: Bearer …` (docs/peers/kuma.md 7); here it is a token of Keystone. */
import type { Headers } from '../../../identity/identity.ts'

/** The headers with the token of Authorization as X-Auth-Token, where that is not sent itself. */
export function withToken(headers: Headers): Headers {
  const { authorization } = headers
  if (headers['x-auth-token'] !== undefined || typeof authorization !== 'string') return headers
  const [, token] = /^(?:(?:Bearer|Token) +)?(\S+)$/i.exec(authorization.trim()) ?? []
  return token === undefined ? headers : { ...headers, 'x-auth-token': token }
}
