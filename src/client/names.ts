/** How objects are called in messages and tables. */
import { addressAndPort } from '../domain/address/address-and-port.ts'

/** The name; without one, the id. */
export function shownName({ id, name }: { readonly id: string; readonly name: string | null }): string {
  return name === null || name === '' ? id : name
}

/** `web-1 (10.0.0.1:80)`, or the address alone where there is no name. */
export function shownMember(member: {
  readonly name: string | null
  readonly address: string | null
  readonly protocol_port: number | null
}): string {
  const address = shownAddress(member)
  return member.name === null || member.name === '' ? address : `${member.name} (${address})`
}

/** `10.0.0.1:80`, `[::1]:80`; `deleted` for a member that is gone. */
export function shownAddress({
  address,
  protocol_port: port,
}: {
  readonly address: string | null
  readonly protocol_port: number | null
}): string {
  return address === null ? 'deleted' : addressAndPort(address, port ?? 0)
}
