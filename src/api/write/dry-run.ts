/** Writes that may only be tried: a dry run answers what the write would have answered, and nothing of it is kept. */
import type { Database, Tx } from '../../store/connection/database.ts'
import type { ApiContext } from '../http/context.ts'
import { writing } from './writing.ts'

/** As `writing`; a dry run is made as a whole and then undone: it waits for the same locks and is refused for the same reasons. */
export async function writingOrTrying<Result>(
  ctx: ApiContext,
  deps: { readonly db: Database },
  { isDryRun, work }: { readonly isDryRun: boolean; readonly work: (tx: Tx) => Promise<Result> },
): Promise<Result> {
  if (!isDryRun) return await writing(ctx, deps, work)
  ctx.state.keepsNothing = true
  try {
    return await writing(ctx, deps, async (tx) => {
      throw new TriedError(await work(tx))
    })
  } catch (error) {
    if (error instanceof TriedError) return error.result as Result
    throw error
  }
}

/** Ends the transaction of a dry run. */
class TriedError extends Error {
  readonly result: unknown

  constructor(result: unknown) {
    super('a dry run')
    this.result = result
  }
}
