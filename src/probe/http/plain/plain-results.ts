/**
 * The results of HTTP probes by the batch: numbers for an answer that passed and was plain, a verdict for every other one;
 * and when what happened in them (probe-times.ts).
 */
import { BATCH_TARGETS_FIRST } from '../../../domain/limits.ts'
import type { ProbeResult } from '../../../domain/result/probe-result.ts'
import type { Reason } from '../../../domain/result/reasons.ts'
import { EndedProbes } from '../../batch/core.ts'
import { boundedDetail, result } from '../../result.ts'
import { grown } from '../../tcp/plain/destinations.ts'
import type { Verdict } from '../../wire/conversation.ts'
import type { ProbeTimes } from './probe-times.ts'

export class PlainResults {
  readonly ended = new EndedProbes()
  readonly #times: ProbeTimes
  /** Of results that have text of their own, by their number in `ended`. */
  readonly #verdicts: (Verdict | undefined)[] = []
  /** By slot: the status of the last probe, where it passed by a plain answer; else 0. */
  #statuses = new Uint16Array(BATCH_TARGETS_FIRST)

  constructor(times: ProbeTimes) {
    this.#times = times
  }

  /** A new target has this slot. */
  forget(slot: number): void {
    this.#statuses[slot] = 0
  }

  /** It passed, by a plain answer that arrived last. */
  addPlain(slot: number, status: number): void {
    const i = this.#add(slot, 'PASSED', true)
    this.ended.details[i] = status
    this.ended.areOther[i] = this.#statuses[slot] === status ? 0 : 1
    this.#statuses[slot] = status
    this.#times.notePassed(slot)
  }

  /** `isAnswered`: by what arrived last. */
  addVerdict(slot: number, verdict: Verdict, isAnswered: boolean): void {
    const i = this.#add(slot, verdict.reason, isAnswered)
    this.#verdicts[i] = verdict
    this.ended.areOther[i] = 1
    this.#statuses[slot] = 0
    if (verdict.reason === 'PASSED') this.#times.notePassed(slot)
  }

  resultOf(i: number): ProbeResult {
    const reason = this.ended.reasonOf(i)
    const phases = this.#times.phasesOf(this.ended.slotOf(i), this.ended.microseconds[i]!)
    const verdict = this.#verdicts[i]
    if (verdict === undefined) return result(reason, `got ${this.ended.details[i]}`, phases)
    const { detail, flag, statusLine } = verdict
    return {
      ...result(reason, detail, phases),
      ...(flag === undefined ? {} : { flag }),
      ...(statusLine === undefined ? {} : { statusLine: boundedDetail(statusLine) }),
    }
  }

  grow(room: number): void {
    this.#statuses = grown(this.#statuses, new Uint16Array(room))
  }

  #add(slot: number, reason: Reason, isAnswered: boolean): number {
    const i = this.ended.add(slot, reason)
    this.#verdicts[i] = undefined
    this.ended.microseconds[i] = this.#times.elapsedUs(slot, isAnswered)
    return i
  }
}
