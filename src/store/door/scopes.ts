/**
 * Scopes of doors: the row of `load_balancer` that the pools of one scope share. It is their lock and their roll-up; no LBaaS
 * dialect shows it (ADR 35).
 */
import { randomUUID } from 'node:crypto'
import type { DoorScope } from '../../domain/door/door-pool.ts'
import { type Tx, query } from '../connection/database.ts'

/**
 * Locks a scope against other writers until commit, and makes it where it is missing; returns the id of its row. Before anything
 * of the scope is read: writers of one scope wait for each other.
 */
export async function lockScope(tx: Tx, { projectId, door, key }: DoorScope): Promise<string> {
  // Sent together: the second statement sees the row of whoever was first.
  const [, rows] = await Promise.all([
    query(
      tx,
      `insert into load_balancer (id, project_id, name, provider, door, door_key) values ($1, $2, left($4, 255), $3, $3, $4)
       on conflict (project_id, door, door_key) where door is not null do nothing`,
      [randomUUID(), projectId, door, key],
    ),
    query<{ id: string }>(
      tx,
      `select id from load_balancer where project_id = $1 and door = $2 and door_key = $3 for no key update`,
      [projectId, door, key],
    ),
  ])
  const [row] = rows
  // Whoever deleted it in between has not left it: the transaction begins again.
  if (row === undefined) throw new ScopeGoneError()
  return row.id
}

/** The scope was deleted while it was locked by another writer. SQLSTATE 40001: the transaction is made again. */
class ScopeGoneError extends Error {
  readonly code = '40001'
}

/** Deletes a scope that has no pools; one that does not exist is no error. */
export async function deleteScope(tx: Tx, { projectId, door, key }: DoorScope): Promise<void> {
  await query(tx, 'delete from load_balancer where project_id = $1 and door = $2 and door_key = $3', [
    projectId,
    door,
    key,
  ])
}
