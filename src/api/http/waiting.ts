/**
 * Requests that may take long without working: they hold a place among the streams and waits of their project, and a connection
 * to PostgreSQL only while they use it. Their routes have `admitsItself`.
 */
import { DomainError } from '../../domain/errors.ts'
import type { ApiContext, ApiDependencies } from './context.ts'
import { sharerOf } from './sharer.ts'

/** Takes a place among the streams and waits of the project; the result gives it back. Throws PROJECT_BUSY. */
export function takePlace(ctx: ApiContext, { events }: Pick<ApiDependencies, 'events'>): () => void {
  const giveBack = events.streams.take(sharerOf(ctx.state.identity))
  if (giveBack === undefined) {
    throw new DomainError(
      'PROJECT_BUSY',
      'The project has too many open streams and waits. Please try again.',
    )
  }
  return giveBack
}

/** Does work with the database when the project has its turn. Throws PROJECT_BUSY, and the errors of the work. */
export async function admitted<Result>(ctx: ApiContext, work: () => Promise<Result>): Promise<Result> {
  let result: Result | undefined
  await ctx.state.admission.admit(sharerOf(ctx.state.identity), async () => {
    result = await work()
  })
  return result as Result
}
