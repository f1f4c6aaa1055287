/**
 * Addresses from HM_VIP_RANGE for load balancers without one. Candidates follow from the load balancer's id, so a freed
 * address is not given to the next load balancer at once; when all candidates are taken, it gets the first free
 * address.
 */
import { createHash } from 'node:crypto'
import { VIP_BACKFILL_ROWS, VIP_PLACES_TRIED, VIP_SHARE_OF_FREE } from '../../domain/limits.ts'
import { NIL_UUID } from '../../domain/uuid.ts'
import type { VipRange } from '../../domain/address/vip-range.ts'
import { isLbaas } from '../door/lbaas-only.ts'
import { type Db, type Tx, query } from '../connection/database.ts'

interface Taker {
  readonly id: string
  readonly projectId: string
}

/** `range`: no address is free. `share`: the project has its share; the rest is for other projects. */
export type AddressOutcome = 'given' | 'none: range' | 'none: share'

/** Gives an address to a load balancer that is already written. */
export async function giveAddress(tx: Tx, taker: Taker, range: VipRange): Promise<AddressOutcome> {
  const { held, free } = await readUse(tx, taker.projectId, range)
  if (free <= 0) return 'none: range'
  if (held >= VIP_SHARE_OF_FREE * free) return 'none: share'
  // Another transaction may be taking the same address: the second try waits for it and sees its result.
  for (let attempt = 0; attempt < 2; attempt += 1) {
    if (await takeOneOf(tx, taker, placesOf(taker.id, range))) return 'given'
  }
  return (await takeFirstFree(tx, taker, range)) ? 'given' : 'none: range'
}

/** Others took the address that was found, so often in a row that no free one can be found. */
async function takeFirstFree(tx: Db, taker: Taker, range: VipRange): Promise<boolean> {
  for (let attempt = 0; attempt < VIP_PLACES_TRIED; attempt += 1) {
    const address = await firstFree(tx, range)
    if (address === undefined) return false
    if (await takeOneOf(tx, taker, [address])) return true
  }
  return false
}

async function readUse(
  tx: Tx,
  projectId: string,
  range: VipRange,
): Promise<{ readonly held: number; readonly free: number }> {
  const rows = await query<{ used: number; held: number }>(
    tx,
    `select count(*) as used, count(*) filter (where project_id = $1) as held
     from load_balancer_address where address between $2::inet and $3::inet`,
    [projectId, ...endsOf(range)],
  )
  const { used, held } = rows[0] ?? { used: 0, held: 0 }
  return { held, free: range.size - used }
}

function endsOf(range: VipRange): readonly [string, string] {
  return [range.addressAt(0), range.addressAt(range.size - 1)]
}

function placesOf(id: string, range: VipRange): readonly string[] {
  const hash = createHash('sha256').update(id).digest()
  return Array.from({ length: VIP_PLACES_TRIED }, (_, i) =>
    range.addressAt(hash.readUInt32BE(i * 4) % range.size),
  )
}

async function takeOneOf(tx: Db, taker: Taker, addresses: readonly string[]): Promise<boolean> {
  const rows = await query(
    tx,
    `insert into load_balancer_address (load_balancer_id, project_id, address)
     select $1::uuid, $2::text, tried.address
     from unnest($3::inet[]) with ordinality as tried (address, place)
     where not exists (select from load_balancer_address a where a.address = tried.address)
     order by tried.place limit 1
     on conflict do nothing returning address`,
    [taker.id, taker.projectId, addresses],
  )
  return rows.length > 0
}

/** The first of the range, else the first behind one that is taken. */
async function firstFree(tx: Db, range: VipRange): Promise<string | undefined> {
  const [first, last] = endsOf(range)
  const rows = await query<{ address: string }>(
    tx,
    `select host(tried.address) as address from (
       select $1::inet as address
       union all
       (select a.address + 1 from load_balancer_address a
        where a.address >= $1::inet and a.address < $2::inet
          and not exists (select from load_balancer_address b where b.address = a.address + 1)
        order by a.address limit 1)
     ) tried
     where not exists (select from load_balancer_address c where c.address = tried.address)
     limit 1`,
    [first, last],
  )
  return rows[0]?.address
}

/** Load balancers that got an address, and those for which the range has none. */
export interface Backfill {
  readonly given: number
  readonly without: number
}

/** Gives an address and a port to every load balancer without them (an older release created it). It may run again. */
export async function giveMissingAddresses(db: Db, range: VipRange): Promise<Backfill> {
  await query(
    db,
    `update load_balancer lb set vip_port_id = gen_random_uuid() where lb.vip_port_id is null and ${isLbaas('lb')}`,
  )
  let given = 0
  let without = 0
  for (let marker = NIL_UUID; ; ) {
    const takers = await listWithout(db, marker)
    const last = takers.at(-1)
    if (last === undefined) return { given, without }
    const left = await giveTo(db, takers, range)
    given += takers.length - left
    without += left
    marker = last.id
  }
}

async function listWithout(db: Db, marker: string): Promise<readonly Taker[]> {
  return await query<Taker>(
    db,
    `select lb.id, lb.project_id as "projectId" from load_balancer lb
     where lb.id > $1 and lb.vip_address is null and ${isLbaas('lb')}
       and not exists (select from load_balancer_address a where a.load_balancer_id = lb.id)
     order by lb.id limit $2`,
    [marker, VIP_BACKFILL_ROWS],
  )
}

/** How many of them are left without one. */
async function giveTo(db: Db, takers: readonly Taker[], range: VipRange): Promise<number> {
  let left = takers
  for (let place = 0; place < VIP_PLACES_TRIED && left.length > 0; place += 1) {
    const rows = await query<{ id: string }>(
      db,
      `insert into load_balancer_address (load_balancer_id, project_id, address)
       select * from unnest($1::uuid[], $2::text[], $3::inet[])
       on conflict do nothing returning load_balancer_id as id`,
      [
        left.map(({ id }) => id),
        left.map(({ projectId }) => projectId),
        left.map(({ id }) => placesOf(id, range)[place]),
      ],
    )
    const served = new Set(rows.map(({ id }) => id))
    left = left.filter(({ id }) => !served.has(id))
  }
  // Few: only those whose candidates were all taken, and none once the range is full.
  for (const [served, taker] of left.entries()) {
    if (!(await takeFirstFree(db, taker, range))) return left.length - served
  }
  return 0
}
