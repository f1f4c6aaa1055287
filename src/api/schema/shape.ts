/**
 * The values that a check of an attribute accepts, as JSON Schema. A check is a function, which joi cannot describe:
 * its shape is attached where the check is made, from the same numbers and words, so that joi's `describe()` shows it.
 * A test compares that with openapi.yaml.
 */
import type Joi from 'joi'

export interface Shape {
  readonly type?: 'integer' | 'number' | 'boolean' | 'string' | 'array' | 'object'
  readonly format?: 'uuid'
  readonly enum?: readonly (string | number)[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly items?: Shape
  readonly $ref?: string
}

/** The schema, with what it takes. */
export function shaped(schema: Joi.AnySchema, shape: Shape): Joi.AnySchema {
  return schema.meta({ shape })
}
