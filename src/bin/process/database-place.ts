/** Where PostgreSQL is, by its URL. */

/** Of a URL that names none (IANA). */
const POSTGRES_PORT = 5432

/** Host (as a URL has it: an IPv6 address in brackets) and port. */
export function databaseAddress(url: string): { readonly hostname: string; readonly port: number } {
  const { hostname, port } = new URL(url)
  return { hostname, port: port === '' ? POSTGRES_PORT : Number(port) }
}

/** `host:port/database`: what may be shown of the URL, and what makes two URLs the same database. */
export function databasePlace(url: string): string {
  const { hostname, port } = databaseAddress(url)
  return `${hostname}:${port}${new URL(url).pathname}`
}
