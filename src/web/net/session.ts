/** Who looks at the page: nobody (no identity), or somebody who has signed in. */
import { signal } from '@preact/signals'
import { request, RequestError } from './request.ts'
import type { Session } from './types.ts'

export type SessionState =
  | { readonly kind: 'asking' }
  | { readonly kind: 'signed out'; readonly message?: string }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'known'; readonly session: Session }

export const session = signal<SessionState>({ kind: 'asking' })

export async function findSession(): Promise<void> {
  try {
    session.value = { kind: 'known', session: await request<Session>('GET', 'v1/session') }
  } catch (error) {
    const status = error instanceof RequestError ? error.status : 0
    const message = error instanceof Error ? error.message : String(error)
    session.value = status === 401 ? { kind: 'signed out' } : { kind: 'refused', message }
  }
}

export interface Credentials {
  readonly user: string
  readonly password: string
  readonly project: string
  readonly domain: string
}

/** Throws RequestError. */
export async function signIn(credentials: Credentials): Promise<void> {
  await request('POST', 'v1/session', credentials)
  await findSession()
}

/** The cookie ends, whatever becomes of the token; what went wrong is shown beside the sign-in. Never rejects. */
export async function signOut(): Promise<void> {
  try {
    await request('DELETE', 'v1/session')
    session.value = { kind: 'signed out' }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    session.value = { kind: 'signed out', message }
  }
}

/** Called with each refusal: a token that has ended leads back to the sign-in. */
export function noteRefusal(error: unknown): void {
  if (error instanceof RequestError && error.status === 401 && session.value.kind === 'known') {
    session.value = { kind: 'signed out', message: 'Your session has ended. Please sign in again.' }
  }
}
