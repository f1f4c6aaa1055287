/** Verdicts as a prober writes them. */
import type { Transition, VerdictWrite } from '../../src/domain/prober/check.ts'
import type { Db } from '../../src/store/connection/database.ts'
import { writeVerdicts } from '../../src/store/probing/verdicts.ts'
import { eventually } from './configuration.ts'

/** Of generation 1, at epoch 1, with the transition that led to it. */
export function aVerdict(
  memberId: string,
  shard: number,
  sequence: number,
  more: Partial<VerdictWrite> = {},
): VerdictWrite {
  const status = more.status ?? 'ONLINE'
  const transition: Transition = {
    at: 1_700_000_000_000 + sequence,
    from: 'UNKNOWN',
    to: status,
    reason: 'PASSED',
    detail: 'quote " brace { backslash \\ comma ,',
    evidence: { port: 1 },
    generation: 1,
    dropped: 0,
    sequence,
  }
  return {
    memberId,
    projectId: 'project',
    shard,
    sequence,
    epoch: 1,
    generation: 1,
    status,
    since: transition.at,
    reason: transition.reason,
    detail: transition.detail,
    evidence: transition.evidence,
    okRun: 1,
    badRun: 0,
    transitions: [transition],
    ...more,
  }
}

/** Writes verdicts, those that are put off as often as it takes; resolves to the shards that are held. */
export async function writeAllVerdicts(
  db: Db,
  owner: string,
  rows: readonly VerdictWrite[],
): Promise<ReadonlySet<number>> {
  let left = rows
  let shards: ReadonlySet<number> = new Set()
  await eventually('nothing is put off', async () => {
    const { held, putOff } = await writeVerdicts(db, owner, left)
    if (left === rows) shards = held
    left = left.filter(({ memberId }) => putOff.has(memberId))
    return left.length === 0
  })
  return shards
}
