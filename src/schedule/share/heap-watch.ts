/**
 * Whether the heap of this process is close to its limit. Then fewer probes are in flight, so that they hold less
 * memory, and the rest waits in the usual queue. A prober that runs out of memory all the same loses no verdict, and
 * others take its shards over. The scheduler sees stalls by garbage collection.
 */
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import {
  HEAP_EASY_SHARE,
  HEAP_TIGHT_BUDGET_SHARE,
  HEAP_TIGHT_SHARE,
  SEMI_SPACE_MAX_BYTES,
  SEMI_SPACES,
} from '../../domain/limits.ts'
import type { ProberFacts } from '../../domain/prober/prober-facts.ts'
import type { Log } from '../log.ts'

export class HeapWatch {
  readonly #log: Log
  readonly #read: () => ProberFacts['heap']
  #facts: ProberFacts['heap'] = { usedBytes: 0, limitBytes: 0 }
  #isTight = false

  constructor(log: Log, read: () => ProberFacts['heap'] = readHeap) {
    this.#log = log
    this.#read = read
  }

  /** As of the last `look`. */
  get isTight(): boolean {
    return this.#isTight
  }

  /** To be called with every heartbeat. Logs when the heap becomes tight, and when it is no longer. */
  look(): ProberFacts['heap'] {
    this.#facts = this.#read()
    const { usedBytes, limitBytes } = this.#facts
    const share = limitBytes === 0 ? 0 : usedBytes / limitBytes
    const isTight = share >= (this.#isTight ? HEAP_EASY_SHARE : HEAP_TIGHT_SHARE)
    if (isTight === this.#isTight) return this.#facts
    this.#isTight = isTight
    const facts = { used_bytes: usedBytes, limit_bytes: limitBytes }
    if (isTight)
      this.#log.warn(facts, 'the heap is nearly full (--max-old-space-size): fewer probes are in flight')
    else this.#log.info(facts, 'the heap has room again')
    return this.#facts
  }

  /** Of `budget` probes in flight, those that the heap has room for: at least one. */
  within(budget: number): number {
    return this.#isTight ? Math.max(1, Math.floor(budget * HEAP_TIGHT_BUDGET_SHARE)) : budget
  }
}

/**
 * The old generation: V8 aborts when it is full. V8's heap limit includes the young generation, and V8 may move a whole
 * semi-space to the old one at once, so that much must stay free.
 */
function readHeap(): ProberFacts['heap'] {
  const usedBytes = getHeapSpaceStatistics()
    .filter(({ space_name }) => !space_name.startsWith('new_'))
    .reduce((sum, space) => sum + space.space_used_size, 0)
  const oldBytes = Math.max(0, getHeapStatistics().heap_size_limit - SEMI_SPACES * semiSpaceBytes)
  return { usedBytes, limitBytes: Math.max(oldBytes / 2, oldBytes - semiSpaceBytes) }
}

const semiSpaceBytes = semiSpaceMaxBytes([...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' '))

function semiSpaceMaxBytes(flags: string): number {
  const megabytes = Number(/--max[-_]semi[-_]space[-_]size[= ](\d+)/.exec(flags)?.[1] ?? 0)
  if (megabytes > 0) return megabytes * 1024 * 1024
  const { sinceV8, since, before } = SEMI_SPACE_MAX_BYTES
  return Number.parseInt(process.versions.v8, 10) >= sinceV8 ? since : before
}
