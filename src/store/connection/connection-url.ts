/** Where the database is and who we are there; a function where that may change: it is asked for each new connection. */
export type DatabaseUrl = string | (() => string)

/**
 * `?sslmode=` of a database URL means what it means to psql and to every other client of libpq: `require` encrypts,
 * `verify-ca` and `verify-full` also check the certificate (with `sslrootcert=`, else the system's authorities). The
 * driver needs a parameter for that, and prints a warning without it. A URL without a password takes it from PGPASSFILE
 * or ~/.pgpass, as libpq does.
 */
export function connectionUrl(given: DatabaseUrl): string {
  const url = typeof given === 'function' ? given() : given
  if (!/[?&]sslmode=/.test(url) || /[?&]uselibpqcompat=/.test(url)) return url
  return `${url}&uselibpqcompat=true`
}
