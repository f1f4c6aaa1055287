/** What became of a request; `error` is a sentence for the owner of the webhook, without bytes of the answer. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly status: number }
  /** The receiver refused the request. */
  | { readonly kind: 'refused'; readonly status: number; readonly error: string }
  /** No complete response in time. */
  | { readonly kind: 'unanswered'; readonly error: string }
  /** It accepts nothing at present: no connection, or it answers that it is overloaded. */
  | {
      readonly kind: 'unreachable'
      readonly status?: number
      readonly error: string
      readonly retryAfterMs?: number
    }
