/**
 * Sums what members and pools were on each closed day (UTC), before retention deletes transitions of it. The work is divided
 * into statements over some objects each, in the order of their ids; every statement stores its sums with the progress. So it
 * goes on where it stopped, catches up day after day, and sums no day of an object twice.
 *
 * Of the day that runs, the beginning is summed for objects whose transitions are deleted earlier, as they have too many.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { SLICE_MS, UPTIME_OBJECTS_PER_STATEMENT, UPTIME_SUMS_PER_PASS_MS } from '../../domain/limits.ts'
import { DAY_MS, type SummedDay, sumOfDay } from '../../domain/status/uptime-days.ts'
import type { UptimeFacts } from '../../domain/status/uptime.ts'
import type { RunStatement } from './retention.ts'

export interface DayProgress {
  readonly dayMs: number
  readonly after: string | undefined
  readonly isClosed: boolean
}

export interface DayObject {
  readonly id: string
  readonly facts: UptimeFacts
  /** There are more changes in the day than `facts` has. */
  readonly isCut: boolean
  readonly fromMs: number
  readonly before?: SummedDay
}

export interface SummedObject {
  readonly id: string
  readonly summed: SummedDay
}

export interface UptimeDayStore<Progress extends DayProgress> {
  readProgress(): Promise<Progress>
  /** The next `count` objects of the walk, without those that are summed already; `last` undefined = there is none. */
  readObjects(
    progress: Progress,
    count: number,
  ): Promise<{ readonly objects: readonly DayObject[]; readonly last: string | undefined }>
  /** With the progress: the walk goes on after an object, or the day is summed. */
  save(sums: {
    readonly progress: Progress
    readonly whole: readonly SummedObject[]
    readonly parts: readonly SummedObject[]
    readonly after: string | undefined
    readonly isDaySummed: boolean
  }): Promise<void>
}

/** Sums every closed day that is not summed yet; what takes longer than a pass may is left to the next one. */
export async function sumClosedDays<Progress extends DayProgress>(
  run: RunStatement,
  store: UptimeDayStore<Progress>,
  { maxMs = UPTIME_SUMS_PER_PASS_MS }: { readonly maxMs?: number } = {},
): Promise<void> {
  const endMs = performance.now() + maxMs
  while (performance.now() < endMs) {
    const isMore = await run(async () => {
      const progress = await store.readProgress()
      if (!progress.isClosed) return false
      const { objects, last } = await store.readObjects(progress, UPTIME_OBJECTS_PER_STATEMENT)
      const { whole, parts } = await sumObjects(objects, progress.dayMs, () => progress.dayMs + DAY_MS)
      // Who has more changes than one statement reads is read again, from where its part ends.
      const isAgain = parts.length > 0
      const after = isAgain ? progress.after : last
      await store.save({ progress, whole, parts, after, isDaySummed: !isAgain && last === undefined })
      return true
    })
    if (isMore !== true) return
  }
}

/** Computes without holding up the event loop, in which probes run. */
async function sumObjects(
  objects: readonly DayObject[],
  dayMs: number,
  endOf: (object: DayObject) => number,
): Promise<{ readonly whole: readonly SummedObject[]; readonly parts: readonly SummedObject[] }> {
  const whole: SummedObject[] = []
  const parts: SummedObject[] = []
  let sliceMs = performance.now()
  for (const object of objects) {
    const endMs = endOf(object)
    const toMs = object.isCut ? Math.min(endMs, readTo(object)) : endMs
    const summed = sumOfDay(object.facts, { dayMs, toMs, ...optional(object.before) })
    if (toMs >= dayMs + DAY_MS) whole.push({ id: object.id, summed })
    else parts.push({ id: object.id, summed })
    if (performance.now() - sliceMs > SLICE_MS) {
      await nextTurn()
      sliceMs = performance.now()
    }
  }
  return { whole, parts }
}

const optional = (before: SummedDay | undefined) => (before === undefined ? {} : { before })

/** Up to the last change that was read; at least a millisecond further, or a moment with many changes would stop the walk. */
function readTo({ facts: { changes }, fromMs }: DayObject): number {
  return Math.max(fromMs + 1, changes.at(-1)?.atMs ?? fromMs + 1)
}

export interface CutStore<Progress extends DayProgress> {
  readProgress(): Promise<Progress>
  readObjects(ids: readonly string[], progress: Progress): Promise<readonly DayObject[]>
  saveParts(progress: Progress, parts: readonly SummedObject[]): Promise<void>
}

/** Sums objects up to the moments before which their transitions are to be deleted, as far as these lie in the open day. */
export async function sumUpTo<Progress extends DayProgress>(
  cuts: readonly { readonly id: string; readonly keptFromMs: number }[],
  store: CutStore<Progress>,
): Promise<void> {
  if (cuts.length === 0) return
  const progress = await store.readProgress()
  const dayEndMs = progress.dayMs + DAY_MS - 1
  const endOf = new Map(cuts.map(({ id, keptFromMs }) => [id, Math.min(keptFromMs, dayEndMs)]))
  let ids: readonly string[] = cuts
    .filter(({ keptFromMs }) => keptFromMs > progress.dayMs)
    .map(({ id }) => id)
  while (ids.length > 0) {
    const objects = await store.readObjects(ids, progress)
    const due = objects.filter(({ id, fromMs }) => fromMs < (endOf.get(id) ?? 0))
    if (due.length === 0) return
    const { parts } = await sumObjects(due, progress.dayMs, ({ id }) => endOf.get(id) ?? 0)
    await store.saveParts(progress, parts)
    ids = due.map(({ id }) => id)
  }
}

/** Deletes what is left of objects that are gone, batch after batch, until there is no more. Returns how many rows it deleted. */
export async function purgeGone(
  run: RunStatement,
  purge: () => Promise<{ readonly rows: number; readonly isMore: boolean }>,
  { maxMs = UPTIME_SUMS_PER_PASS_MS }: { readonly maxMs?: number } = {},
): Promise<number> {
  const endMs = performance.now() + maxMs
  let total = 0
  while (performance.now() < endMs) {
    const purged = await run(purge)
    total += purged?.rows ?? 0
    if (purged?.isMore !== true) break
  }
  return total
}
