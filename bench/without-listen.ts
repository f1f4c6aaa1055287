/** For `node --import`: LISTEN is refused, as by a PgBouncer that pools transactions. Everything else works. */
import pg from 'pg'

type Query = (this: pg.Client, ...given: readonly unknown[]) => unknown

const prototype = pg.Client.prototype as unknown as { query: Query }
const query = prototype.query

prototype.query = function refuseListen(...given) {
  const [statement] = given
  if (typeof statement === 'string' && statement.startsWith('listen ')) {
    return Promise.reject(new Error('LISTEN is not available here'))
  }
  return query.apply(this, [...given])
}
