/** Ids of objects: UUIDs in their hyphenated spelling, in either case. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Whether the text can be the id of anything. */
export function isUuid(text: string): boolean {
  return UUID.test(text)
}
