import type { Identity } from '../../identity/identity.ts'

/**
 * By what the requests of somebody are divided: the project, and where the token names none the user, so that those who have no
 * project do not share what is left to administrators of the system.
 */
export function sharerOf({ projectId, userId = '' }: Pick<Identity, 'projectId' | 'userId'>): string {
  return projectId || `user ${userId}`
}
