/** The session of the page, with the service that the page came from. */
import { request } from './request.ts'
import { type Credentials, SessionOfPage } from './session-state.ts'

const page = new SessionOfPage(request)

export const session = page.state
export const findSession = (): Promise<void> => page.find()
/** Throws RequestError. */
export const signIn = (credentials: Credentials): Promise<void> => page.signIn(credentials)
export const signOut = (): Promise<void> => page.signOut()
/** Whether who looks at the page may change something. */
export const mayWrite = (): boolean => session.value.kind === 'known' && session.value.session.may_write
/** Called with each refusal: a token that has ended leads back to the sign-in. */
export const noteRefusal = (error: unknown): void => page.noteRefusal(error)
