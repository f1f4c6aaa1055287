/** Exit codes of the commands that call a service, and the failures that end them. */

export const EXIT = {
  done: 0,
  /** Not reached in time; with --exit-code: something is wrong. */
  no: 1,
  /** The command line is not understood, or what it names is not there or not unique. */
  mistake: 2,
  /** The service, or Keystone, cannot be reached or refuses. */
  unreachable: 3,
} as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends a command with one line for the person and an exit code. */
export class ClientFailure extends Error {
  readonly exitCode: ExitCode
  /** The same request may succeed later: the service did not answer, or was too busy. */
  readonly isPassing: boolean

  constructor(
    exitCode: ExitCode,
    message: string,
    { isPassing = false, ...options }: ErrorOptions & { readonly isPassing?: boolean } = {},
  ) {
    super(message, options)
    this.exitCode = exitCode
    this.isPassing = isPassing
  }
}

/** What the person named is not there, or not unique, or not understood. */
export function mistake(message: string): ClientFailure {
  return new ClientFailure(EXIT.mistake, message)
}

/** The service or Keystone does not answer. */
export function unreachable(message: string, cause?: unknown): ClientFailure {
  return new ClientFailure(EXIT.unreachable, message, { cause, isPassing: true })
}

/** The service or Keystone refuses. */
export function refused(message: string): ClientFailure {
  return new ClientFailure(EXIT.unreachable, message)
}

/** Whether the request may be sent again. */
export function isPassing(error: unknown): error is ClientFailure {
  return error instanceof ClientFailure && error.isPassing
}
