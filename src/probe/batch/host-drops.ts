/**
 * Whether this host drops packets before they reach a socket: because the queue of the kernel is full
 * (/proc/net/softnet_stat, per CPU: packets that were processed, and dropped), or that of a network card (/proc/net/dev).
 * A probe of one packet that times out meanwhile may have lost its answer, also on a socket that nobody else can fill.
 *
 * Some drops say nothing: a card also counts frames of protocols that the host does not speak. So only more than
 * HOST_DROPS_MIN that are more than HOST_DROPS_SHARE of all packets count.
 */
import { readFileSync } from 'node:fs'
import {
  HOST_DROPS_LOOK_MS,
  HOST_DROPS_MIN,
  HOST_DROPS_PAUSE_MS,
  HOST_DROPS_SHARE,
} from '../../domain/limits.ts'

/** Since the start of the host. */
export interface PacketCounts {
  readonly taken: number
  readonly dropped: number
}

/** Reads the counts of each queue. */
export type ReadPackets = () => readonly PacketCounts[]

export class HostDrops {
  /** When packets were last found dropped: monotonic milliseconds. */
  lostMs = Number.NEGATIVE_INFINITY
  readonly #read: ReadPackets
  #lookedMs = Number.NEGATIVE_INFINITY
  #before: readonly PacketCounts[] = []

  constructor(read: ReadPackets = readPackets) {
    this.#read = read
  }

  /** Looks every HOST_DROPS_LOOK_MS. What was dropped during a longer pause, in which nobody waited for an answer, does not count. */
  look(nowMs: number): void {
    const sinceMs = nowMs - this.#lookedMs
    if (sinceMs < HOST_DROPS_LOOK_MS) return
    const counts = this.#read()
    const isContinued = sinceMs <= HOST_DROPS_PAUSE_MS
    if (isContinued && counts.some((now, i) => isLossy(this.#before[i], now))) this.lostMs = nowMs
    this.#before = counts
    this.#lookedMs = nowMs
  }
}

function isLossy(before: PacketCounts | undefined, now: PacketCounts): boolean {
  if (before === undefined) return false
  const dropped = now.dropped - before.dropped
  const all = now.taken - before.taken + dropped
  return dropped >= HOST_DROPS_MIN && dropped > HOST_DROPS_SHARE * all
}

/** Of the kernel's queues and of the cards; a file that cannot be read has no drops. */
function readPackets(): readonly PacketCounts[] {
  return [softnetOf(textOf('/proc/net/softnet_stat')), devicesOf(textOf('/proc/net/dev'))]
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    // Not Linux, no /proc, or no descriptor left: nothing is known of drops.
    return ''
  }
}

/** A line per CPU, of hexadecimal numbers: processed, dropped, … */
export function softnetOf(text: string): PacketCounts {
  const rows = text.split('\n').map((line) => line.split(' ').map((word) => Number.parseInt(word, 16)))
  return summed(rows.map(([taken, dropped]) => ({ taken, dropped })))
}

/** Two lines of headings, then one per device: `name: bytes packets errs drop fifo …` received, then sent. */
export function devicesOf(text: string): PacketCounts {
  const rows = text.split('\n').slice(2)
  return summed(
    rows.map((line) => {
      const [, packets, , drop, fifo] = line
        .slice(line.indexOf(':') + 1)
        .trim()
        .split(/\s+/)
        .map(Number)
      return { taken: packets, dropped: (drop ?? 0) + (fifo ?? 0) }
    }),
  )
}

function summed(
  rows: readonly { readonly taken: number | undefined; readonly dropped: number | undefined }[],
): PacketCounts {
  let [taken, dropped] = [0, 0]
  for (const row of rows) {
    taken += row.taken || 0
    dropped += row.dropped || 0
  }
  return { taken, dropped }
}
