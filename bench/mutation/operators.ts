/**
 * The small wrongs that a mutation run does to compiled code, one at a time: a condition that is always or never met, a
 * comparison that is off by one, a call that is left out, a constant that is another one, a predicate missing in SQL.
 * What only writes a log line or counts a metric is left alone: no behaviour that a client or an operator's decision
 * rests on.
 */
import { parse } from 'acorn'
import { sqlMutants } from './sql-operators.ts'

export interface Mutant {
  /** Offsets in the compiled file. */
  readonly start: number
  readonly end: number
  readonly replacement: string
  readonly operator: string
}

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

type Make = (node: Node, code: string) => readonly Mutant[]

/** Every mutant of a file, in the order of the text. Throws when it cannot be parsed. */
export function mutantsOf(code: string): readonly Mutant[] {
  const found: Mutant[] = []
  const tree: unknown = parse(code, { ecmaVersion: 'latest', sourceType: 'module' })
  walk(tree, (node) => {
    if (isReport(node, code)) return false
    found.push(...(OPERATORS.get(node.type)?.(node, code) ?? []))
    return node.type !== 'ImportDeclaration'
  })
  return found.toSorted((a, b) => a.start - b.start)
}

function walk(value: unknown, enter: (node: Node) => boolean): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, enter)
    return
  }
  if (!isNode(value) || !enter(value)) return
  for (const field of Object.values(value)) walk(field, enter)
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value
}

/** A statement that only logs or counts, or an error's text. */
function isReport(node: Node, code: string): boolean {
  if (node.type !== 'ExpressionStatement') return false
  return /^(?:void )?[\w.#?]*\b(?:log|logger|metrics|facts)\??\.[\w.?]*\(/.test(textOf(node, code))
}

const textOf = ({ start, end }: Node, code: string): string => code.slice(start, end)

function child(node: Node, field: string): Node {
  const value = node[field]
  if (!isNode(value)) throw new Error(`${node.type} without ${field}`)
  return value
}

function replaced(node: Node, replacement: string, operator: string): Mutant {
  return { start: node.start, end: node.end, replacement, operator }
}

/** A condition that always holds, and one that never does. */
const condition: Make = (node) => {
  const test = child(node, 'test')
  return ['true', 'false'].map((value) => replaced(test, value, `condition is ${value}`))
}

const COMPARISONS: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '&&': '||',
  '||': '&&',
}

const operator: Make = (node, code) => {
  const sign = String(node['operator'])
  const [left, right] = [child(node, 'left'), child(node, 'right')]
  if (sign === '??') return [replaced(node, textOf(left, code), '?? without its default')]
  const other = COMPARISONS[sign]
  const isText = [left, right].some((side) => /^(?:['"`]|\(?['"`])/.test(textOf(side, code)))
  if (other === undefined || (sign === '+' && isText)) return []
  const text = `(${textOf(left, code)}) ${other} (${textOf(right, code)})`
  return [replaced(node, text, `${sign} is ${other}`)]
}

const statement: Make = (node) => {
  const { type } = child(node, 'expression')
  const isEffect = ['CallExpression', 'AwaitExpression', 'AssignmentExpression', 'UpdateExpression'].includes(
    type,
  )
  const isSuper = type === 'CallExpression' && child(child(node, 'expression'), 'callee').type === 'Super'
  return isEffect && !isSuper ? [replaced(node, ';', 'statement left out')] : []
}

const literal: Make = (node) => {
  const { value } = node
  if (typeof value === 'boolean') return [replaced(node, String(!value), `${value} is ${!value}`)]
  if (typeof value === 'number') return [replaced(node, String(value + 1), `${value} is ${value + 1}`)]
  return typeof value === 'string' ? sqlIn(node, value) : []
}

const template: Make = (node) => {
  const { raw } = node['value'] as { readonly raw: string }
  return sqlIn(node, raw)
}

function sqlIn({ start, end }: Node, text: string): readonly Mutant[] {
  // Of a literal, the quotes are around it.
  const from = start + (end - start - text.length) / 2
  return Number.isInteger(from)
    ? sqlMutants(text).map((each) => ({ ...each, start: from + each.start, end: from + each.end }))
    : []
}

const METHODS: Readonly<Record<string, string>> = { every: 'some', some: 'every', min: 'max', max: 'min' }

/** `every` for `some`, `min` for `max`; a filter or an order that is left out. */
const call: Make = (node, code) => {
  const callee = child(node, 'callee')
  if (callee.type !== 'MemberExpression') return []
  const property = child(callee, 'property')
  const name = textOf(property, code)
  const other = METHODS[name]
  if (other !== undefined) return [replaced(property, other, `${name} is ${other}`)]
  if (!['filter', 'toSorted'].includes(name)) return []
  return [replaced(node, textOf(child(callee, 'object'), code), `${name} left out`)]
}

const OPERATORS: ReadonlyMap<string, Make> = new Map<string, Make>([
  ['IfStatement', condition],
  ['ConditionalExpression', condition],
  ['WhileStatement', (node) => [replaced(child(node, 'test'), 'false', 'condition is false')]],
  ['BinaryExpression', operator],
  ['LogicalExpression', operator],
  [
    'UnaryExpression',
    (node, code) =>
      node['operator'] === '!'
        ? [replaced(node, `(${textOf(child(node, 'argument'), code)})`, '! left out')]
        : [],
  ],
  ['ExpressionStatement', statement],
  ['ThrowStatement', (node) => [replaced(node, ';', 'throw left out')]],
  ['Literal', literal],
  ['TemplateElement', template],
  ['CallExpression', call],
])
