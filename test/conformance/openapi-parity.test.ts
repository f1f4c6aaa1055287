/** openapi.yaml is the service: every route is an operation and every operation a route. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import type { ApiDependencies } from '../../src/api/http/context.ts'
import { serviceRoutes } from '../../src/api/service/routes.ts'
import { V1 } from '../../src/api/v1/api.ts'
import { type DialectName, DIALECTS } from '../../src/api/dialects.ts'
import {
  DIALECT_NAMES,
  dialectOf,
  document,
  MOUNTS,
  operations,
  type Schema,
  spellings,
  validatorOf,
} from '../support/openapi.ts'

/** Making the lists of routes touches nothing else of these. */
const deps = { settings: {} } as ApiDependencies

/** `GET /pools/{}/members`: names of parameters are a matter of taste. */
function key(method: string, path: string): string {
  return `${method.toUpperCase()} ${path.replaceAll(/:\w+|\{\w+\}/g, '{}')}`
}

const routesOf = (name: DialectName) =>
  DIALECTS.filter((dialect) => dialect.name === name).flatMap((dialect) => dialect.routes(deps))

/** What is served while a dialect is that of the bare path. */
function servedKeys(defaultDialect: DialectName): string[] {
  const dialects = DIALECT_NAMES.flatMap((dialect) => {
    const mounts = dialect === defaultDialect ? [MOUNTS[dialect], ''] : [MOUNTS[dialect]]
    return routesOf(dialect).flatMap(({ method, paths }) =>
      paths.flatMap((path) => mounts.map((mount) => key(method, `${mount}${path}`.replace(/(.)\/$/, '$1')))),
    )
  })
  const own = V1.routes(deps).flatMap(({ method, paths }) => paths.map((path) => key(method, path)))
  return [...dialects, ...own, ...serviceRoutes(deps).map(({ path }) => key('get', path))]
}

function describedKeys(defaultDialect: DialectName): string[] {
  return operations.flatMap(({ path, method }) =>
    spellings(path, defaultDialect).map((spelling) => key(method, spelling)),
  )
}

for (const dialect of DIALECT_NAMES) {
  test(`every route of the service is an operation of openapi.yaml, in every spelling; ${dialect} on the bare path`, () => {
    const described = new Set(describedKeys(dialect))
    assert.deepEqual(
      servedKeys(dialect).filter((route) => !described.has(route)),
      [],
    )
  })

  test(`every operation of openapi.yaml, in every spelling that it names, is a route of the service; ${dialect} on the bare path`, () => {
    const served = new Set(servedKeys(dialect))
    assert.deepEqual(
      describedKeys(dialect).filter((operation) => !served.has(operation)),
      [],
    )
  })

  test(`no route is registered and no operation described twice; ${dialect} on the bare path`, () => {
    for (const keys of [servedKeys(dialect), describedKeys(dialect)]) {
      assert.deepEqual(
        keys.filter((route, i) => keys.indexOf(route) !== i),
        [],
      )
    }
  })
}

test('every operation has an id of its own that names its dialect', () => {
  const ids = operations.map(({ operation }) => operation.operationId)
  assert.equal(new Set(ids).size, ids.length)
  for (const { path, operation } of operations) {
    assert.match(operation.operationId, new RegExp(`^${dialectOf(path) ?? '[a-z]'}[A-Z]?\\w+$`))
  }
})

test('every path parameter is described, and no other', () => {
  for (const { path, parameters } of operations) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
    const described = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
    assert.deepEqual(new Set(named), new Set(described), path)
  }
})

test('every operation of a dialect describes its refusals', () => {
  for (const { path, method, operation } of operations) {
    const dialect = dialectOf(path)
    if (dialect === undefined) continue
    // Version discovery asks for no identity.
    const open = operation.security?.length === 0
    const always = [
      '400',
      '415',
      '503',
      ...(open ? [] : ['401', '403']),
      ...(dialect === 'elb' ? [] : ['406']),
    ]
    const body = operation.requestBody === undefined ? [] : ['413']
    const item = path.includes('{') ? ['404'] : []
    const missing = [...always, ...body, ...item].filter((status) => !(status in operation.responses))
    assert.deepEqual(missing, [], `${method} ${path}`)
  }
})

test('openapi.yaml is valid against the schema of OpenAPI 3.0', async () => {
  const result = await new Validator().validate(
    structuredClone(document) as unknown as Record<string, unknown>,
  )
  assert.deepEqual(result, { valid: true })
})

test('every example is valid against its schema', () => {
  let examples = 0
  const visit = (node: unknown, where: string): void => {
    if (typeof node !== 'object' || node === null) return
    const { example, schema, examples: named } = node as Record<string, unknown>
    const check = (of: Schema, value: unknown) => {
      const validate = validatorOf(of, 'answer')
      assert.ok(validate(value), `${where}: ${JSON.stringify(validate.errors)}`)
      examples++
    }
    if (example !== undefined && isSchema(node)) check(node as Schema, example)
    if (schema !== undefined && !('in' in node)) {
      if (example !== undefined) check(schema as Schema, example)
      for (const { value } of Object.values((named ?? {}) as Record<string, { value: unknown }>)) {
        check(schema as Schema, value)
      }
    }
    for (const [name, child] of Object.entries(node)) {
      if (name !== 'example' && name !== 'examples') visit(child, `${where}/${name}`)
    }
  }
  visit(document, '')
  assert.ok(examples > 30, `only ${examples} examples`)
})

function isSchema(node: object): boolean {
  return 'type' in node && typeof node.type === 'string' && !('in' in node)
}

test('every POST and PUT may answer 413: whatever body comes is received within bounds', () => {
  const silent = operations.filter(
    ({ method, operation }) => ['post', 'put'].includes(method) && operation.responses['413'] === undefined,
  )
  assert.deepEqual(
    silent.map(({ method, path }) => `${method} ${path}`),
    [],
  )
})
