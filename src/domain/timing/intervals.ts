/** The part of a policy that says when probes start: its intervals, and what chance adds to them. */

/** Milliseconds from one probe to the next, by the state of the check. */
export interface Intervals {
  readonly online: number
  /** ONLINE with failures in a row; absent = `online`. */
  readonly onlinePending?: number
  /** OFFLINE and still failing; absent = `online`. */
  readonly offline?: number
  /** OFFLINE with successes in a row; absent = `online`. */
  readonly offlinePending?: number
  /** Until the first verdict; absent = the interval of the status. */
  readonly undecided?: number
  /** Until traffic has been seen, instead of all others; absent = off. */
  readonly noTraffic?: number
  /** The same while ONLINE with no failure; absent = `noTraffic`. */
  readonly noTrafficHealthy?: number
}

/** What chance adds to an interval; absent parts add nothing. */
export interface Jitter {
  /** Milliseconds, added: 0 up to and excluding this (Envoy). */
  readonly ms?: number
  /** Per cent of the interval, added: 0 up to and excluding this share (Envoy). */
  readonly percent?: number
  /** Per cent of the interval, 0..50, both ways (HAProxy's spread-checks). */
  readonly spreadPercent?: number
  /** Milliseconds within which the very first probe of a check starts. */
  readonly initialMs?: number
}
