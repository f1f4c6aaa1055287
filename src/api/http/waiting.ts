/**
 * Requests that may wait for a long time. They hold a place among the streams and waits of their project, but a
 * connection to PostgreSQL only while they use it. Their routes have `admitsItself`.
 */
import { DomainError } from '../../domain/errors.ts'
import type { ApiContext, ApiDependencies } from './context.ts'
import { sharerOf } from './sharer.ts'

/**
 * Takes a place among the streams and waits of the project, which is free again when the client is gone, also when it has
 * gone already. Returns the function that frees it before. Throws PROJECT_BUSY.
 */
export function takePlace(ctx: ApiContext, { events }: Pick<ApiDependencies, 'events'>): () => void {
  const giveBack = events.streams.take(sharerOf(ctx.state.identity))
  if (giveBack === undefined) {
    throw new DomainError(
      'PROJECT_BUSY',
      'The project has too many open streams and waits. Please try again.',
    )
  }
  onceGone(ctx, giveBack)
  return giveBack
}

/** Calls `end` when the response is closed; at once, if that was before: while Keystone was asked, for example. */
export function onceGone({ res }: Pick<ApiContext, 'res'>, end: () => void): void {
  if (res.destroyed) end()
  else res.once('close', end)
}

/** Runs `work`, which uses the database, when it is the turn of the project. Throws PROJECT_BUSY, and the errors of the work. */
export async function admitted<Result>(ctx: ApiContext, work: () => Promise<Result>): Promise<Result> {
  let result: Result | undefined
  await ctx.state.admission.admit(sharerOf(ctx.state.identity), async () => {
    result = await work()
  })
  return result as Result
}
