/** Ids of objects: UUIDs in their hyphenated spelling, in either case. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** The nil UUID (RFC 9562 section 5.9): the id of no object, and before every id. */
export const NIL_UUID = '00000000-0000-0000-0000-000000000000'

/** Whether the text can be the id of anything. */
export function isUuid(text: string): boolean {
  return UUID.test(text)
}
