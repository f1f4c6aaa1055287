/** What became of a request; `error` is a sentence for the owner of the webhook, without bytes of the answer. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly status: number }
  /** The receiver answered that it does not take this. */
  | { readonly kind: 'refused'; readonly status: number; readonly error: string }
  /** No whole answer in time. */
  | { readonly kind: 'unanswered'; readonly error: string }
  /** It would take nothing now: no connection, or it says that it has too much to do. */
  | {
      readonly kind: 'unreachable'
      readonly status?: number
      readonly error: string
      readonly retryAfterMs?: number
    }
