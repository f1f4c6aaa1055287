/**
 * Records of a file of held verdicts: a mark, the length and the checksum (CRC-32) of what follows, and verdicts of one shard,
 * packed. A host that loses its power leaves half a record, or blocks of zeros: what does not fit its checksum is passed over,
 * and reading goes on at the next mark.
 */
import { crc32 } from 'node:zlib'
import { RESULT_ROWS_PER_MESSAGE } from '../../domain/limits.ts'
import type { VerdictWrite } from '../../domain/prober/check.ts'
import { mergedVerdicts } from '../../domain/prober/merged-verdicts.ts'
import { pack, unpack } from '../wire/packed.ts'

/** Verdicts of one shard. */
export interface HeldEntry {
  readonly shard: number
  /** How often held verdicts of the shard had been sent before: those of an earlier round are in the stream. */
  readonly round: number
  readonly rows: readonly VerdictWrite[]
}

/** What a file says. */
export interface HeldContent {
  /** One of each member. */
  readonly rows: readonly VerdictWrite[]
  /** Pieces that are no whole record, and their bytes. */
  readonly damaged: number
  readonly damagedBytes: number
}

const MARK = Buffer.from('HmHeld1\n')
const HEAD_BYTES = MARK.length + 8

/** As records, in their order; one of many rows becomes several. */
export async function recordsOf(entries: readonly HeldEntry[]): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for (const { rows, ...entry } of entries)
    for (let from = 0; from < rows.length; from += RESULT_ROWS_PER_MESSAGE) {
      const body = await pack({ ...entry, rows: rows.slice(from, from + RESULT_ROWS_PER_MESSAGE) })
      const head = Buffer.alloc(HEAD_BYTES)
      MARK.copy(head)
      head.writeUInt32BE(body.length, MARK.length)
      head.writeUInt32BE(crc32(body), MARK.length + 4)
      pieces.push(head, body)
    }
  return Buffer.concat(pieces)
}

/** Reads a file, whatever is in it. */
export async function readHeld(bytes: Buffer): Promise<HeldContent> {
  const shards = new Map<number, { readonly round: number; readonly members: Map<string, VerdictWrite> }>()
  let [at, damaged, damagedBytes] = [0, 0, 0]
  while (at < bytes.length) {
    const body = bodyAt(bytes, at)
    if (body === undefined) {
      const next = bytes.indexOf(MARK, at + 1)
      const end = next === -1 ? bytes.length : next
      damaged++
      damagedBytes += end - at
      at = end
      continue
    }
    add(shards, (await unpack(body)) as HeldEntry)
    at += HEAD_BYTES + body.length
  }
  return { rows: [...shards.values()].flatMap(({ members }) => [...members.values()]), damaged, damagedBytes }
}

/** What a whole record that begins here has; undefined: there is none. */
function bodyAt(bytes: Buffer, at: number): Buffer | undefined {
  const head = bytes.subarray(at, at + HEAD_BYTES)
  if (head.length < HEAD_BYTES || !head.subarray(0, MARK.length).equals(MARK)) return undefined
  const from = at + HEAD_BYTES
  const body = bytes.subarray(from, from + head.readUInt32BE(MARK.length))
  const isWhole = body.length === head.readUInt32BE(MARK.length)
  return isWhole && crc32(body) === head.readUInt32BE(MARK.length + 4) ? body : undefined
}

function add(
  shards: Map<number, { readonly round: number; readonly members: Map<string, VerdictWrite> }>,
  { shard, round, rows }: HeldEntry,
): void {
  const known = shards.get(shard)
  // Those of an earlier round were sent: their transitions must not come again in a later verdict.
  const kept = known === undefined || known.round < round ? { round, members: new Map() } : known
  if (kept.round > round) return
  shards.set(shard, kept)
  for (const row of rows) {
    const older = kept.members.get(row.memberId)
    kept.members.set(row.memberId, older === undefined ? row : mergedVerdicts(older, row))
  }
}
