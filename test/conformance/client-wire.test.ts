/** What commands expect of answers (src/client/wire.ts) is what openapi.yaml promises. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { document, resolved, type Schema } from '../support/openapi.ts'

interface Field {
  readonly isOptional: boolean
  readonly isNullable: boolean
}

/** The fields of each interface, by its name; fields of objects within it are left out. */
function interfacesOf(source: string): ReadonlyMap<string, ReadonlyMap<string, Field>> {
  const found = new Map<string, ReadonlyMap<string, Field>>()
  for (const [, name = '', parent, body = ''] of source.matchAll(
    /^(?:export )?interface (\w+)(?: extends (\w+))? \{\n(.*?)^\}/gms,
  )) {
    const inherited = parent === undefined ? [] : [...(found.get(parent) ?? assert.fail(`no ${parent}`))]
    const fields = new Map<string, Field>(inherited)
    // A type over several lines ends with the first line that is not indented further.
    for (const [, field = '', mark, type = ''] of body.matchAll(
      /^ {2}readonly (\w+)(\??): (.*(?:\n {4}.*)*(?:\n {2}\}.*)?)$/gm,
    ))
      fields.set(field, { isOptional: mark === '?', isNullable: type.endsWith(' | null') })
    found.set(name, fields)
  }
  return found
}

const propertiesOf = (schema: Schema | undefined) =>
  (resolved<Schema>(schema ?? {})['properties'] ?? {}) as Readonly<Record<string, Schema>>

const SCHEMAS: Readonly<Record<string, () => Schema | undefined>> = {
  Webhook: () => document.components.schemas['Webhook'],
  WebhookTest: () => propertiesOf(document.components.schemas['WebhookTestAnswer'])['test'],
  DeadLetter: () => document.components.schemas['DeadLetter'],
  EventPage: () => document.components.schemas['EventPage'],
  ApiEvent: () => document.components.schemas['Event'],
  ProbeNow: () => propertiesOf(document.components.schemas['ProbeAnswer'])['probe'],
}

const interfaces = interfacesOf(readFileSync('src/client/wire.ts', 'utf8'))

for (const [name, find] of Object.entries(SCHEMAS)) {
  test(`each field of ${name} that commands read is described, and as surely there as they expect`, () => {
    const schema = resolved<Schema>(find() ?? assert.fail(`no schema for ${name}`))
    const properties = propertiesOf(schema)
    const fields = interfaces.get(name) ?? assert.fail(`no interface ${name}`)
    assert.ok(fields.size > 0)
    for (const [field, { isOptional, isNullable }] of fields) {
      const property = properties[field]
      if (property === undefined) {
        // Events have more than is described.
        assert.ok(schema['additionalProperties'] === true && isOptional, `${name}.${field} is not described`)
        continue
      }
      const isRequired = (schema['required'] as readonly string[] | undefined)?.includes(field) === true
      assert.ok(isOptional || isRequired, `${name}.${field} may be absent`)
      const mayBeNull = resolved<Schema>(property)['nullable'] === true
      assert.ok(isNullable || !mayBeNull, `${name}.${field} may be null`)
    }
  })
}
