import type { Identity } from '../../identity/identity.ts'

/**
 * The key by which shared resources of requests are divided: the project. If the token has none, it is the user, so
 * that users without a project do not share one place with the administrators of the system.
 */
export function sharerOf({ projectId, userId = '' }: Pick<Identity, 'projectId' | 'userId'>): string {
  return projectId || `user ${userId}`
}
