/** Answers as bytes: Koa would send a text, of which Node makes a copy more. Arrays may hold items that are JSON already. */
import type { ParameterizedContext } from 'koa'
import type { ApiState } from './context.ts'

/** An array in an answer whose items were made into JSON one by one. */
export class JsonItems {
  readonly items: readonly string[]

  constructor(items: readonly string[]) {
    this.items = items
  }
}

export function writeJson(ctx: ParameterizedContext<ApiState>): void {
  const body: unknown = ctx.body
  if (typeof body !== 'object' || body === null) return
  ctx.state.answered = body
  ctx.body = Buffer.from(jsonOf(body))
}

/** JSON of an answer, in which items stand directly or one object below. */
function jsonOf(body: object): string {
  if (!Object.values(body).some(hasItems)) return JSON.stringify(body)
  const entries = Object.entries(body).map(([key, value]: [string, unknown]) => {
    const text =
      value instanceof JsonItems
        ? `[${value.items.join(',')}]`
        : hasItems(value)
          ? jsonOf(value as object)
          : JSON.stringify(value)
    return `${JSON.stringify(key)}:${text}`
  })
  return `{${entries.join(',')}}`
}

function hasItems(value: unknown): boolean {
  if (value instanceof JsonItems) return true
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).some((inner) => inner instanceof JsonItems)
}
