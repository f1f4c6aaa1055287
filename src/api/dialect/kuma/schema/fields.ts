/**
 * Reading the fields of a body. What has the wrong type is noted and counts as absent; what is unknown is never looked at.
 * Each list and each map has a bound.
 */
import { TAG_KEY_MAX, TAG_VALUE_MAX, TAGS_MAX } from '../../../../domain/kuma/limits.ts'
import type { Tags } from '../../../../domain/kuma/objects.ts'
import type { Finding } from '../findings.ts'

type Json = Readonly<Record<string, unknown>>

/** Where wrong types are noted, and whether null is as good as absent (Kuma 1) or a wrong type (Kuma 2). */
export interface Reading {
  readonly found: Finding[]
  readonly takesNull: boolean
}

export class Fields {
  readonly path: string
  readonly #object: Json
  readonly #reading: Reading

  constructor(object: Json, path: string, reading: Reading) {
    this.#object = object
    this.path = path
    this.#reading = reading
  }

  /** The path of a field. */
  at(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`
  }

  note(field: string, message: string): void {
    this.#reading.found.push({ field, message })
  }

  has(key: string): boolean {
    return this.#valueOf(key) !== undefined
  }

  text(key: string, max = TEXT_MAX): string | undefined {
    const value = this.#typed(key, 'string') as string | undefined
    if (value !== undefined && value.length > max)
      this.note(this.at(key), `in body should be at most ${max} chars long`)
    return value
  }

  /** A whole number within what 32 bits hold. */
  integer(key: string): number | undefined {
    return this.#whole(this.#typed(key, 'number') as number | undefined, this.at(key))
  }

  /** The number of a port, or its name. */
  portOrName(key: string, max: number): number | string | undefined {
    return typeof this.#valueOf(key) === 'string' ? this.text(key, max) : this.integer(key)
  }

  number(key: string): number | undefined {
    return this.#typed(key, 'number') as number | undefined
  }

  flag(key: string): boolean | undefined {
    return this.#typed(key, 'boolean') as boolean | undefined
  }

  object(key: string): Fields | undefined {
    const value = this.#typed(key, 'object') as Json | undefined
    return value === undefined ? undefined : new Fields(value, this.at(key), this.#reading)
  }

  objects(key: string, max: number): readonly Fields[] {
    return this.#items(key, 'object', max).map(
      ({ value, path }) => new Fields(value as Json, path, this.#reading),
    )
  }

  texts(key: string, max: number): readonly string[] {
    return this.#items(key, 'string', max).map(({ value }) => value as string)
  }

  integers(key: string, max: number): readonly number[] {
    return this.#items(key, 'number', max).flatMap(
      ({ value, path }) => this.#whole(value as number, path) ?? [],
    )
  }

  /** Tags or labels. */
  textMap(key: string): Tags | undefined {
    const value = this.#typed(key, 'object') as Json | undefined
    if (value === undefined) return undefined
    const entries = Object.entries(value)
    if (entries.length > TAGS_MAX) {
      this.note(this.at(key), `must have at most ${TAGS_MAX} entries`)
      return {}
    }
    const kept = entries.filter(([name, text]) =>
      this.#isTag(`${this.at(key)}[${JSON.stringify(name)}]`, name, text),
    )
    return Object.fromEntries(kept) as Tags
  }

  #isTag(path: string, name: string, text: unknown): boolean {
    if (typeof text !== 'string') {
      this.note(path, `in body must be of type string: "${typeOf(text)}"`)
      return false
    }
    if (name.length <= TAG_KEY_MAX && text.length <= TAG_VALUE_MAX) return true
    this.note(path, `must have at most ${TAG_KEY_MAX} characters, its value at most ${TAG_VALUE_MAX}`)
    return false
  }

  #items(
    key: string,
    type: Type,
    max: number,
  ): readonly { readonly value: unknown; readonly path: string }[] {
    const values = (this.#typed(key, 'array') ?? []) as readonly unknown[]
    if (values.length > max) {
      this.note(this.at(key), `must have at most ${max} elements`)
      return []
    }
    return values
      .map((value, i) => ({ value, path: `${this.at(key)}[${i}]` }))
      .filter(({ value, path }) => this.#isOf(type, value, path))
  }

  #typed(key: string, type: Type): unknown {
    const value = this.#valueOf(key)
    return value === undefined || !this.#isOf(type, value, this.at(key)) ? undefined : value
  }

  #isOf(type: Type, value: unknown, path: string): boolean {
    const is = typeOf(value)
    if (is === type) return true
    this.note(path, `in body must be of type ${type}: "${is}"`)
    return false
  }

  #whole(value: number | undefined, path: string): number | undefined {
    if (value === undefined || (Number.isInteger(value) && Math.abs(value) < 2 ** 31)) return value
    this.note(path, `in body must be of type integer: "number"`)
    return undefined
  }

  #valueOf(key: string): unknown {
    if (!Object.hasOwn(this.#object, key)) return undefined
    const value = this.#object[key]
    return value === null && this.#reading.takesNull ? undefined : value
  }
}

/** Characters of a text without a bound of its own. */
const TEXT_MAX = 4096

type Type = 'string' | 'number' | 'boolean' | 'object' | 'array'

function typeOf(value: unknown): Type | 'null' {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value as Type
}
