/** Refusals in the words of the API: its codes are finer than ours, and it names the attributes that are wrong. */
import { DomainError, type Refusal } from '../../../domain/errors.ts'
import type { Problem } from '../../../domain/greymatter/problem.ts'

/** docs/peers/greymatter.md 10. */
export type ErrorCode =
  | 'NotFound'
  | 'DuplicateClusterKeyCode'
  | 'InvalidObjectCode'
  | 'KeyImmutable'
  | 'DataConstraintErrorCode'
  | 'BadParameterErrorCode'
  | 'ObjectKeyRequiredErrorCode'
  | 'MiscCode'
  | 'MiscBackpressure'
  | 'UnknownUnauthorizedCode'
  | 'UnknownModificationConflict'
  | 'UnknownDecodingCode'
  | 'UnknownNoBodyCode'
  | 'UnknownTransportCode'
  | 'UnknownUnclassifiedCode'

/** A refusal that has its code already. */
export class ControlRefusal extends DomainError {
  readonly controlCode: ErrorCode
  readonly problems: readonly Problem[]

  constructor(
    refusal: Refusal,
    { code, message, problems = [] }: { code: ErrorCode; message: string; problems?: readonly Problem[] },
  ) {
    super(refusal, message)
    this.controlCode = code
    this.problems = problems
  }
}

export function invalidObject(
  what: 'cluster' | 'zone' | 'body',
  problems: readonly Problem[],
): ControlRefusal {
  return new ControlRefusal('INVALID_FIELD', {
    code: 'InvalidObjectCode',
    message: `invalid ${what}`,
    problems,
  })
}

export function unknownObject(what: string, key: string): ControlRefusal {
  return new ControlRefusal('NOT_FOUND', {
    code: 'NotFound',
    message: `${what} ${key.slice(0, 255)} not found`,
  })
}

export function duplicate(message: string): ControlRefusal {
  return new ControlRefusal('CONFLICT', { code: 'DuplicateClusterKeyCode', message })
}

export function staleChecksum(): ControlRefusal {
  return new ControlRefusal('CONFLICT', {
    code: 'UnknownModificationConflict',
    message: 'checksum does not match',
  })
}

export function badParameter(message: string): ControlRefusal {
  return new ControlRefusal('INVALID_QUERY', { code: 'BadParameterErrorCode', message })
}

export function immutableKey(message: string): ControlRefusal {
  return new ControlRefusal('READ_ONLY_ATTRIBUTE', { code: 'KeyImmutable', message })
}

export function constraint(message: string, refusal: Refusal = 'INVALID_FIELD'): ControlRefusal {
  return new ControlRefusal(refusal, { code: 'DataConstraintErrorCode', message })
}
