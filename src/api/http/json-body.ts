/** Responses as bytes: from a string, Node would make one more copy. Arrays may contain items that are JSON text already. */
import type { ParameterizedContext } from 'koa'
import type { ApiState } from './context.ts'

/** An array in an answer whose items were made into JSON one by one. */
export class JsonItems {
  readonly items: readonly string[]

  constructor(items: readonly string[]) {
    this.items = items
  }
}

/** A value in an answer that is JSON already: long lists of ids are not made into objects to become text again. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** For those who look at the value, or write it below something else. */
  toJSON(): unknown {
    return JSON.parse(this.text)
  }
}

/** `[{"id": …}, …]` of ids that commas join. */
export function idsAsObjects(joined: string): JsonText {
  return new JsonText(joined === '' ? '[]' : `[{"id":"${joined.replaceAll(',', '"},{"id":"')}"}]`)
}

/** JSON of one object of a list. */
export function jsonOfItem(item: object): string {
  const values: readonly unknown[] = Object.values(item)
  if (!values.some((value) => value instanceof JsonText)) return JSON.stringify(item)
  const entries = Object.entries(item)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]: [string, unknown]) => {
      return `${JSON.stringify(key)}:${value instanceof JsonText ? value.text : JSON.stringify(value)}`
    })
  return `{${entries.join(',')}}`
}

export function writeJson(ctx: ParameterizedContext<ApiState>): void {
  const body: unknown = ctx.body
  if (typeof body !== 'object' || body === null) return
  ctx.state.answered = body
  ctx.body = bytesOf(piecesOf(body))
}

/** The JSON of an answer in pieces, in which items are directly or one object below: they are never joined. */
function piecesOf(body: object): readonly string[] {
  if (!Object.values(body).some(hasItems)) return [JSON.stringify(body)]
  const pieces: string[] = []
  let before = '{'
  for (const [key, value] of Object.entries(body) as [string, unknown][]) {
    pieces.push(`${before}${JSON.stringify(key)}:`)
    before = ','
    if (value instanceof JsonItems) pushArray(pieces, value.items)
    else if (hasItems(value)) pieces.push(...piecesOf(value as object))
    else pieces.push(JSON.stringify(value))
  }
  pieces.push('}')
  return pieces
}

function pushArray(pieces: string[], items: readonly string[]): void {
  pieces.push('[')
  for (const [i, item] of items.entries()) {
    if (i > 0) pieces.push(',')
    pieces.push(item)
  }
  pieces.push(']')
}

function hasItems(value: unknown): boolean {
  if (value instanceof JsonItems) return true
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).some((inner) => inner instanceof JsonItems)
}

/** Writes pieces one after the other: of a page of megabytes, each copy more takes a millisecond. */
function bytesOf(pieces: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafe(pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0))
  let end = 0
  for (const piece of pieces) end += bytes.write(piece, end)
  return bytes
}
