/**
 * The service cannot start as it was asked to, and a person can change that: the message is the whole sentence that
 * person reads, without a stack. Only `bin/` catches it (exit code 1).
 */
export class StartRefusal extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartRefusal'
  }
}
