/**
 * The service cannot start as configured, and a person can change that: the message is the whole sentence for that
 * person, without a stack. Only `bin/` catches it (exit code 1).
 */
export class StartRefusal extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartRefusal'
  }
}
