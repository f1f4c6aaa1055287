/** What objects are called. */

/** An object with what it may be called by. */
interface Named {
  readonly id: string
  readonly name: string | null
  readonly address?: string | null
  readonly protocol_port?: number | null
}

/** The name of an object, else its address, else the beginning of its id. */
export function nameOf({ name, address, protocol_port: port, id }: Named): string {
  if (name !== null && name !== '') return name
  const at = address === undefined || address === null ? '' : targetOf(address, port ?? undefined)
  return at === '' ? shortId(id) : at
}

/** The beginning of an id, by which people tell objects without a name apart. */
export const shortId = (id: string): string => id.slice(0, 8)

/** `address:port`, IPv6 in brackets. */
export function targetOf(address: string, port: number | undefined): string {
  if (port === undefined) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
