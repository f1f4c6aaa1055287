/** What is known of a metric beside its values. */
export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  /** HELP of the exposition: what it says, without a full stop at the end. */
  readonly help: string
  /** What to do about it, in whole sentences. */
  readonly advice: string
}

export interface MetricGroup {
  readonly title: string
  /** Which processes have them, and how to aggregate them: whole sentences. */
  readonly about: string
  readonly metrics: Readonly<Record<string, MetricRow>>
}
