/** Statements on the certificates that members show: what probers write, fenced as verdicts are, and its retention. */
import { LOCAL_SITE } from '../../domain/limits.ts'
import type { CertificateWrite } from '../../domain/prober/check.ts'
import { type Db, query } from '../connection/database.ts'
import { fenceOf, heldShards } from './fence.ts'
import { purgeOrphans } from './retention.ts'

/** Rows that would not change are not touched: after a restart every certificate is seen again. */
const writeCertificatesOf = (site: string): string => `
with ${heldShards(site)}, shown as materialized (
  select b.member_id, m.project_id, b.generation, to_timestamp(b.not_after_ms / 1000) as not_after,
    case when b.warning_days > 0 then to_timestamp(b.not_after_ms / 1000) - b.warning_days * interval '1 day' end as warn_at,
    b.subject, b.issuer
  from unnest($4::uuid[], $5::bigint[], $6::float8[], $7::integer[], $8::text[], $9::text[], $10::smallint[], $11::bigint[])
    as b (member_id, generation, not_after_ms, warning_days, subject, issuer, shard, epoch)
  join held h on h.id = b.shard and h.epoch = b.epoch
  join member m on m.id = b.member_id
)
insert into member_certificate as old (member_id, project_id, generation, not_after, warn_at, subject, issuer)
select s.* from shown s
where not exists (
  select from member_certificate c
  where c.member_id = s.member_id and (c.generation, c.not_after, c.subject, c.issuer)
      = (s.generation, s.not_after, s.subject, s.issuer)
    and c.warn_at is not distinct from s.warn_at)
order by s.member_id
on conflict (member_id) do update set
  generation = excluded.generation, not_after = excluded.not_after, warn_at = excluded.warn_at,
  subject = excluded.subject, issuer = excluded.issuer`

/** Writes certificates of shards that `owner` holds at their epochs; at most one row per member. Others are left out. */
export async function writeCertificates(
  db: Db,
  owner: string,
  rows: readonly CertificateWrite[],
  site: string = LOCAL_SITE,
): Promise<void> {
  await query(db, writeCertificatesOf(site), [
    ...fenceOf(owner, rows),
    rows.map((row) => row.memberId),
    rows.map((row) => row.generation),
    rows.map((row) => row.notAfter),
    rows.map((row) => row.warningDays),
    rows.map((row) => row.subject),
    rows.map((row) => row.issuer),
    rows.map((row) => row.shard),
    rows.map((row) => row.epoch),
  ])
}

/** Deletes at most `batch` certificates that were written while their member was being deleted; returns how many. */
export async function purgeOrphanedCertificates(db: Db, batch: number): Promise<number> {
  return await purgeOrphans(db, 'member_certificate', batch)
}
