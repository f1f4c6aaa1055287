/** HM_AUTH=none: a token of the development identity decides, else X-Project-Id, else the default project. */
import { DomainError } from '../domain/errors.ts'
import type { DevelopmentIdentity } from './development.ts'
import { type Identify, tokenOf } from './identity.ts'
import { noIdentity } from './no-identity.ts'

/**
 * Reads the identity of a request. Throws UNAUTHENTICATED for a token that was issued here and has expired: its holder
 * must log in again, and must not get into another project.
 */
export function developmentIdentify(
  development: Pick<DevelopmentIdentity, 'identify'>,
  defaultProject: string,
): Identify {
  const withoutToken = noIdentity(defaultProject)
  return (headers) => {
    const token = tokenOf(headers)
    const identity = token === undefined ? undefined : development.identify(token)
    if (identity === 'ended')
      throw new DomainError('UNAUTHENTICATED', 'The token has expired or was revoked.')
    return identity ?? withoutToken(headers)
  }
}
