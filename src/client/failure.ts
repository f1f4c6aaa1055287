/** Exit codes of the commands that ask a service, and the failures that end them. */

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
  /** The same may succeed later: nobody answered, or was too busy to. */
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

/** Nobody answers. */
export function unreachable(message: string, cause?: unknown): ClientFailure {
  return new ClientFailure(EXIT.unreachable, message, { cause, isPassing: true })
}

/** Somebody answers, and refuses. */
export function refused(message: string): ClientFailure {
  return new ClientFailure(EXIT.unreachable, message)
}

/** Whether the service may be asked again. */
export function isPassing(error: unknown): error is ClientFailure {
  return error instanceof ClientFailure && error.isPassing
}
