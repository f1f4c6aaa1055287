/** What is wrong with an object, attribute by attribute, in the words of Grey Matter's library (docs/peers/greymatter.md 8). */
import { hasMoreCharacters } from '../characters.ts'

export interface Problem {
  readonly attribute: string
  readonly msg: string
}

const KEY = /^[0-9a-zA-Z]+(-[0-9a-zA-Z]+)*$/
// oxlint-disable-next-line no-control-regex -- what must not be in a name
const CONTROL = /[\0-\x1f\x7f]/

export type Json = Readonly<Record<string, unknown>>

export function isJsonObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Absent and null are the same: clients write one or the other. */
export function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null
}

/** Collects what is wrong below one attribute. */
export class Problems {
  readonly all: Problem[] = []

  add(attribute: string, msg: string): void {
    this.all.push({ attribute, msg })
  }

  /** A key that an author may choose; empty where it may be. */
  key(attribute: string, value: unknown, max: number): void {
    if (!this.text(attribute, value, max)) return
    if (value === '') this.add(attribute, 'may not be empty')
    else if (!KEY.test(value)) this.add(attribute, `must match pattern: ${KEY.source}`)
  }

  name(attribute: string, value: unknown, max: number): void {
    if (!this.text(attribute, value, max)) return
    if (value === '') this.add(attribute, 'may not be empty')
    else if (/[[\]]/.test(value)) this.add(attribute, 'may not contain [ or ] characters')
  }

  /** A text without control characters; says so when it is none. */
  text(attribute: string, value: unknown, max: number): value is string {
    const why =
      typeof value !== 'string'
        ? isAbsent(value)
          ? 'may not be empty'
          : 'must be a text'
        : hasMoreCharacters(value, max)
          ? `must have at most ${max} characters`
          : CONTROL.test(value)
            ? 'may not contain control characters'
            : undefined
    if (why !== undefined) this.add(attribute, why)
    return why === undefined
  }

  textOrNothing(attribute: string, value: unknown): void {
    if (!isAbsent(value) && typeof value !== 'string') this.add(attribute, 'must be a text')
  }

  /** A whole number of at least one; absent where that is allowed. */
  positive(attribute: string, value: unknown): void {
    if (typeof value !== 'number' || !Number.isInteger(value)) this.add(attribute, 'must be a whole number')
    else if (value < 1) this.add(attribute, 'must be greater than zero')
  }

  boolean(attribute: string, value: unknown): void {
    if (!isAbsent(value) && typeof value !== 'boolean') this.add(attribute, 'must be true or false')
  }

  /** An object or nothing. */
  object(attribute: string, value: unknown): Json | undefined {
    if (isAbsent(value)) return undefined
    if (isJsonObject(value)) return value
    this.add(attribute, 'must be an object')
    return undefined
  }

  /** A list of at most `max` items, or nothing. */
  list(attribute: string, value: unknown, max: number): readonly unknown[] {
    if (isAbsent(value)) return []
    if (!Array.isArray(value)) {
      this.add(attribute, 'must be a list')
      return []
    }
    if (value.length > max) {
      this.add(attribute, `must have at most ${max} items`)
      return []
    }
    return value
  }
}
