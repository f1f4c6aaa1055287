/** Who looks at the page: nobody (no identity), or somebody who has signed in. */
import { signal } from '@preact/signals'
import { messageOf, RequestError } from './sender.ts'
import type { Session } from './types.ts'

export type SessionState =
  | { readonly kind: 'asking' }
  | { readonly kind: 'signed out'; readonly message?: string }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'known'; readonly session: Session }

export interface Credentials {
  readonly user: string
  readonly password: string
  readonly project: string
  readonly domain: string
}

/** Sends requests about the session, as `request.ts` does. Throws RequestError. */
export type Ask = <Body>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) => Promise<Body>

export class SessionOfPage {
  readonly state = signal<SessionState>({ kind: 'asking' })
  readonly #ask: Ask
  /** Number of the last question who this is: the answer to one before it comes too late. */
  #question = 0

  constructor(ask: Ask) {
    this.#ask = ask
  }

  /** Asks the service who this is. Never rejects. */
  async find(): Promise<void> {
    this.#question += 1
    const question = this.#question
    const found = await this.#whoIsThis()
    if (question === this.#question) this.state.value = found
  }

  async #whoIsThis(): Promise<SessionState> {
    try {
      return { kind: 'known', session: await this.#ask<Session>('GET', 'v1/session') }
    } catch (error) {
      const status = error instanceof RequestError ? error.status : 0
      return status === 401 ? { kind: 'signed out' } : { kind: 'refused', message: messageOf(error) }
    }
  }

  /** Throws RequestError. */
  async signIn(credentials: Credentials): Promise<void> {
    await this.#ask('POST', 'v1/session', credentials)
    await this.find()
  }

  /**
   * Every answer ends the cookie, whatever becomes of the token; what went wrong is shown beside the sign-in. Without an
   * answer the cookie is still there, and the page says so. Never rejects.
   */
  async signOut(): Promise<void> {
    this.#question += 1
    try {
      await this.#ask('DELETE', 'v1/session')
      this.state.value = { kind: 'signed out' }
    } catch (error) {
      const isAnswered = error instanceof RequestError && error.status !== 0
      this.state.value = isAnswered
        ? { kind: 'signed out', message: error.message }
        : { kind: 'refused', message: `${messageOf(error)} You are still signed in.` }
    }
  }

  /** Called with each refusal: a token that has ended leads back to the sign-in. */
  noteRefusal(error: unknown): void {
    if (error instanceof RequestError && error.status === 401 && this.state.value.kind === 'known') {
      this.state.value = { kind: 'signed out', message: 'Your session has ended. Please sign in again.' }
    }
  }
}
