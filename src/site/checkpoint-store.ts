/** Checkpoints of a site: the last one of each shard, in parts, for the next owner and for the relay. */
import { SITE_MESSAGE_MAX_BYTES, SNAPSHOT_CHECKS_PER_PART } from '../domain/limits.ts'
import type { CheckpointEntry, ShardCheckpoint } from '../domain/prober/check.ts'
import { reaching } from './away.ts'
import type { SiteConnection } from './connection.ts'
import { inTurns } from './leases.ts'
import type { SiteNames } from './subjects.ts'
import { headersOf, headOf, withClockOff } from './wire/heads.ts'
import { pack, unpack } from './wire/packed.ts'

/** A part of a checkpoint. `recent` is in the first one alone: it belongs to all entries. */
export interface CheckpointPart extends ShardCheckpoint {
  readonly owner: string
}

export interface CheckpointStoreParts {
  readonly connection: SiteConnection
  readonly names: SiteNames
  readonly owner: string
  readonly isHeld: (shard: number, epoch: number) => boolean
  /** By how many milliseconds the server's clock is ahead of ours. */
  readonly clockOffMs: () => number
}

export class CheckpointStore {
  readonly #parts: CheckpointStoreParts
  #sendings = 0

  constructor(parts: CheckpointStoreParts) {
    this.#parts = parts
  }

  async write(checkpoints: readonly ShardCheckpoint[]): Promise<void> {
    const ours = checkpoints.filter(({ id, epoch }) => this.#parts.isHeld(id, epoch))
    await inTurns(ours, (checkpoint) => this.#writeOne(checkpoint))
  }

  /** What the checkpoints of these shards say about these members. */
  async entries(
    shards: readonly number[],
    memberIds: readonly string[],
  ): Promise<readonly CheckpointEntry[]> {
    const wanted = new Set(memberIds)
    const found: CheckpointEntry[] = []
    await inTurns(shards, async (shard) => {
      for (const { entries } of await this.#read(shard))
        found.push(...entries.filter(({ memberId }) => wanted.has(memberId)))
    })
    return found
  }

  async #writeOne(checkpoint: ShardCheckpoint): Promise<void> {
    const { connection, names, owner, clockOffMs } = this.#parts
    const { js } = await connection.reach()
    const parts = await Promise.all(
      partsOf({ ...checkpoint, owner }).map(async (part) => await pack(part satisfies CheckpointPart)),
    )
    const sending = `${owner}.${checkpoint.epoch}.${++this.#sendings}`
    const head = withClockOff(
      clockOffMs(),
      headersOf({ digest: '', sending, parts: parts.length, through: 0 }),
    )
    // The first part comes last: who reads it finds the others.
    for (const [number, payload] of [...parts.entries()].reverse()) {
      if (payload.length > SITE_MESSAGE_MAX_BYTES)
        throw new RangeError(`a checkpoint has ${payload.length} bytes`)
      await reaching('a checkpoint is not stored', () =>
        js.publish(names.checkpoint(checkpoint.id, number), payload, { headers: head }),
      )
    }
  }

  /** Nothing where there is none. A checkpoint that is just replaced is read as far as it fits together. */
  async #read(shard: number): Promise<readonly CheckpointPart[]> {
    const { connection, names } = this.#parts
    const { direct } = await connection.reach()
    const read = async (number: number) =>
      await reaching('a checkpoint is not read', () =>
        direct.getMessage(names.checkpointStream, { last_by_subj: names.checkpoint(shard, number) }),
      )
    const first = await read(0)
    const head = headOf(first?.header)
    if (first === null || head === undefined) return []
    const found = [first.data]
    for (let number = 1; number < head.parts; number++) {
      const part = await read(number)
      if (part !== null && headOf(part.header)?.sending === head.sending) found.push(part.data)
    }
    return await Promise.all(found.map(async (bytes) => (await unpack(bytes)) as CheckpointPart))
  }
}

function partsOf(checkpoint: CheckpointPart): readonly CheckpointPart[] {
  const { entries } = checkpoint
  const parts = [{ ...checkpoint, entries: entries.slice(0, SNAPSHOT_CHECKS_PER_PART) }]
  for (let from = SNAPSHOT_CHECKS_PER_PART; from < entries.length; from += SNAPSHOT_CHECKS_PER_PART)
    parts.push({
      ...checkpoint,
      entries: entries.slice(from, from + SNAPSHOT_CHECKS_PER_PART),
      recent: new Uint8Array(),
    })
  return parts
}
