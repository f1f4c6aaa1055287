/** Writes that may only be tried: a dry run answers what the write would have answered, and nothing of it is kept. */
import type { Database, Tx } from '../../store/connection/database.ts'
import type { DomainError } from '../../domain/errors.ts'
import type { ApiContext } from '../http/context.ts'
import { queryOf } from '../http/query.ts'
import { writing } from './writing.ts'

/** Whether `dry_run` is set. Throws `refusal` for what is neither true nor false: whoever mistypes it must not write. */
export function isDryRunIn(ctx: ApiContext, refusal: (message: string) => DomainError): boolean {
  const sent = queryOf(ctx).get('dry_run') ?? 'false'
  if (sent !== 'true' && sent !== 'false') throw refusal('must be true or false')
  return sent === 'true'
}

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
