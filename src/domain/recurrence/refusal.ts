/** Why a recurrence is not taken: the field of `recurrence`, and the reason in words. */
export class RecurrenceRefusal extends Error {
  readonly field: string

  constructor(field: string, reason: string) {
    super(reason)
    this.name = 'RecurrenceRefusal'
    this.field = field
  }
}
