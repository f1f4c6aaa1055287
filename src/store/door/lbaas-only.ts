/**
 * What LBaaS dialects see: objects of doors are not among them (ADR 35). Predicates over the row of an alias; the door of a
 * pool is looked up by its id, one step in an index.
 */

/** Of a load balancer or a pool. */
export const isLbaas = (alias: string): string => `${alias}.door is null`

/**
 * Of what has a pool, by the expression of its id. No `not exists`: of that, PostgreSQL expected one row of a pool of 500
 * members, and then looked up 10 000 pools for their statuses (70 ms instead of 2).
 */
export const isOfLbaasPool = (poolId: string): string =>
  `(select of_door.door is null from pool of_door where of_door.id = ${poolId}) is not false`

/** Which objects a statement finds: those of LBaaS, or those of doors too. */
export type Reach = 'lbaas' | 'all'
