/**
 * Statuses of pools and load balancers are kept, not computed. Once an hour one of all processes compares all of them with a
 * count of the members. What is wrong is counted again, and is a fault of ours: it is said, and never expected.
 */
import { ROLL_UP_CHECK_MEMBERS } from '../../domain/limits.ts'
import { NIL_UUID } from '../../domain/uuid.ts'
import type { Log } from '../log.ts'
import type { RunStatement } from './retention.ts'

export interface RollUpCheckParts {
  /** Checks the next load balancers after an id, about `membersMax` members of them, and counts those again that are wrong. */
  check(
    after: string,
    membersMax: number,
  ): Promise<{ readonly wrong: readonly string[]; readonly last: string | undefined }>
  readonly metrics: { rollUpsRepaired(loadBalancers: number): void }
  readonly log: Log
}

export async function checkAllRollUps(run: RunStatement, parts: RollUpCheckParts): Promise<void> {
  for (let after: string | undefined = NIL_UUID; after !== undefined; ) {
    const from: string = after
    const checked = await run(() => parts.check(from, ROLL_UP_CHECK_MEMBERS))
    if (checked === undefined) return
    if (checked.wrong.length > 0) {
      parts.metrics.rollUpsRepaired(checked.wrong.length)
      parts.log.warn(
        { load_balancer_ids: checked.wrong },
        'kept statuses differed from what the members say, and were counted again',
      )
    }
    after = checked.last
  }
}
