/** What a variable of the environment is, and rules that several of them have. */
import Joi from 'joi'
import { DomainError } from '../../domain/errors.ts'

export interface Variable {
  readonly schema: Joi.Schema
  /** As one would write it in the environment; absent = not set. */
  readonly default?: string
  /** What may be written there, in a few words. */
  readonly values: string
  readonly meaning: string
  /** Never printed; of a URL only the password is hidden. Its value may also be in a file: NAME_FILE. */
  readonly secret?: 'whole' | 'url password'
  /** May also be in a file, though it is no secret. */
  readonly byFile?: true
}

/** A rule made from a parser that returns undefined, or throws a DomainError, for an invalid text. */
export function parsed(parse: (text: string) => unknown, needed: string): Joi.Schema {
  return Joi.string().custom((text: string, check) => {
    try {
      const value = parse(text)
      if (value !== undefined) return value
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      return check.message({ custom: `{{#label}}: ${error.message.replaceAll('{', '(')}` })
    }
    return check.message({ custom: `{{#label}} must be ${needed}` })
  })
}

const list = (text: string): readonly string[] => text.split(/[\s,]+/).filter((item) => item !== '')

/** A rule for each item of a list; undefined if one of them is invalid. */
export function parseAll<Item>(parse: (text: string) => Item | undefined) {
  return (text: string): readonly Item[] | undefined => {
    const items = list(text).map(parse)
    return items.every((item) => item !== undefined) ? items : undefined
  }
}
