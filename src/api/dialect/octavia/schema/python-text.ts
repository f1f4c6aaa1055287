/** Values as Python prints them, because Octavia's refusals repeat what was sent. Bounded. */

/** Characters of a refused value that its refusal repeats. */
const SHOWN_MAX = 2048

/** `str(value)`: a string bare, everything else as its repr. */
export function pythonText(value: unknown): string {
  return (typeof value === 'string' ? value : pythonRepr(value)).slice(0, SHOWN_MAX)
}

/** `repr(value)` of what JSON can hold. */
export function pythonRepr(value: unknown): string {
  return repr(value).slice(0, SHOWN_MAX)
}

function repr(value: unknown): string {
  if (typeof value === 'string') return quoted(value.slice(0, SHOWN_MAX))
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return String(value)
  if (Array.isArray(value)) return `[${value.slice(0, SHOWN_MAX).map(repr).join(', ')}]`
  if (typeof value !== 'object' || value === null) return 'None'
  const items = Object.entries(value).map(([key, item]) => `${quoted(key)}: ${repr(item)}`)
  return `{${items.join(', ')}}`
}

function quoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t')
  return text.includes("'") && !text.includes('"') ? `"${escaped}"` : `'${escaped.replaceAll("'", "\\'")}'`
}
