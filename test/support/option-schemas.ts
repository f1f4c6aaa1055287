/** The schemas of `options` that openapi.yaml must hold, made of the rules that the API checks bodies with. */
import type { OptionForm } from '../../src/domain/options/option.ts'
import { MONITOR_OPTIONS } from '../../src/domain/options/table.ts'
import { OPTION_STATUS_END, OPTION_STATUS_RANGES_MAX, OPTION_STATUS_START } from '../../src/domain/limits.ts'
import type { Schema } from './openapi.ts'

/** `patch`: as requests carry it, where null removes. `answer`: as it is shown, without ranges (ADR 4). */
type Reading = 'patch' | 'answer'

/** The schema of the whole. */
export function optionsSchema(reading: Reading): Schema {
  return schemaOf(MONITOR_OPTIONS, reading, true)
}

function schemaOf(rule: OptionForm, reading: Reading, mayBeNull: boolean): Schema {
  const isNullable = reading === 'patch' && mayBeNull
  return {
    ...bareSchema(rule, reading, isNullable),
    ...(isNullable ? { nullable: true } : {}),
    ...(rule.description === undefined ? {} : { description: rule.description }),
  }
}

function bareSchema(rule: OptionForm, reading: Reading, isNullable: boolean): Schema {
  const isPatch = reading === 'patch'
  switch (rule.kind) {
    case 'integer':
      return { type: 'integer', ...(isPatch ? { minimum: rule.range.min, maximum: rule.range.max } : {}) }
    case 'boolean':
      return { type: 'boolean' }
    case 'word':
      return { type: 'string', enum: [...rule.words, ...(isNullable ? [null] : [])] }
    case 'text':
      return {
        type: 'string',
        ...(isPatch && rule.min !== undefined ? { minLength: rule.min } : {}),
        ...(isPatch ? { maxLength: rule.max } : {}),
        ...(isPatch && rule.pattern !== undefined ? { pattern: rule.pattern.source } : {}),
      }
    case 'list':
      return list(schemaOf(rule.item, reading, false), isPatch ? rule.max : undefined)
    case 'statuses':
      return list(statusRange(isPatch), isPatch ? OPTION_STATUS_RANGES_MAX : undefined)
    case 'object': {
      const { required } = rule
      const properties = Object.fromEntries(
        Object.entries(rule.keys).map(([name, inner]) => [
          name,
          schemaOf(inner, reading, required === undefined),
        ]),
      )
      return {
        type: 'object',
        ...(isPatch ? { additionalProperties: false } : {}),
        ...(required === undefined ? {} : { required }),
        properties,
      }
    }
  }
}

function list(items: Schema, maxItems: number | undefined): Schema {
  return { type: 'array', ...(maxItems === undefined ? {} : { maxItems }), items }
}

function statusRange(isPatch: boolean): Schema {
  const bound = ({ min, max }: { min: number; max: number }) =>
    isPatch ? { minimum: min, maximum: max } : {}
  return {
    type: 'object',
    ...(isPatch ? { additionalProperties: false } : {}),
    required: ['start', 'end'],
    properties: {
      start: { type: 'integer', ...bound(OPTION_STATUS_START) },
      end: { type: 'integer', ...bound(OPTION_STATUS_END) },
    },
  }
}
