/** What a service of many sites over NATS carries, from its size and from what one message of each kind takes. */
import {
  CHECKPOINT_MS_DEFAULT,
  HEARTBEATS_PER_LEASE,
  RELAY_BEATS_EVERY_MS,
  RESULT_ROWS_PER_MESSAGE,
  RESULT_STREAM_MAX_BYTES,
  SHARD_LEASE_MS_DEFAULT,
  SNAPSHOT_CHECKS_PER_PART,
  SNAPSHOT_RESENT_WITHIN_MS,
} from '../src/domain/limits.ts'

/** Each member is probed from one site; sites and probers are alike. */
export interface Size {
  readonly members: number
  readonly sites: number
  readonly probers: number
  readonly intervalSeconds: number
  /** Of each site. */
  readonly shards: number
  /** Members of the whole service whose status changes, per second. */
  readonly changesPerSecond: number
}

/** Bytes and microseconds of CPU of one check in a message of each kind, measured on this host (scale-samples.ts). */
export interface Samples {
  readonly snapshotBytes: number
  /** To pack, and to unpack. */
  readonly snapshotPackUs: number
  readonly snapshotUnpackUs: number
  /** Packed, as it travels; and as PostgreSQL is given it. */
  readonly checkpointBytes: number
  readonly checkpointRowBytes: number
  readonly verdictBytes: number
}

/** Given by other benches, of one process. */
export interface Measured {
  /** Microseconds of CPU per probe, and bytes per member of a prober (engine.js). */
  readonly probeUs: number
  readonly proberBytes: number
  /** Verdicts that one relay writes per second (RELAY_ROWS_PER_STATEMENT in one statement). */
  readonly verdictsPerSecond: number
}

export interface Loads {
  readonly probesPerSecond: number
  readonly proberCores: number
  readonly membersPerProber: number
  /** A prober cannot have less than a shard: the largest share over the mean one. */
  readonly unevenness: number
  readonly proberBytes: number
  readonly messagesPerSecond: {
    readonly snapshots: number
    readonly checkpoints: number
    readonly verdicts: number
    readonly heartbeats: number
  }
  readonly bytesPerSecond: {
    readonly snapshots: number
    readonly checkpoints: number
    readonly verdicts: number
  }
  readonly rowsPerSecond: {
    readonly checkpoints: number
    readonly verdicts: number
    readonly heartbeats: number
  }
  /** What PostgreSQL is given to write, in checkpoints. */
  readonly checkpointRowBytesPerSecond: number
  /** Of all relays together, for snapshots. */
  readonly relayCores: number
}

/** A verdict is a row of its member's state, one of its history, and an event; the counts of its pool change once more. */
export const ROWS_PER_VERDICT = 4

export function loadsOf(size: Size, samples: Samples, { probeUs, proberBytes }: Measured): Loads {
  const { members, sites, probers, intervalSeconds, shards, changesPerSecond } = size
  const siteShards = sites * shards
  const checksPerShard = members / siteShards
  const parts = Math.max(1, Math.ceil(checksPerShard / SNAPSHOT_CHECKS_PER_PART))
  const snapshotsPerSecond = siteShards / (SNAPSHOT_RESENT_WITHIN_MS / 1000)
  const checkpointsPerSecond = siteShards / (CHECKPOINT_MS_DEFAULT / 1000)
  const checkedPerSecond = members / (CHECKPOINT_MS_DEFAULT / 1000)
  const sentPerSecond = members / (SNAPSHOT_RESENT_WITHIN_MS / 1000)
  const probesPerSecond = members / intervalSeconds
  const proberShare = shards / Math.max(1, probers / sites)
  const unevenness = Math.ceil(proberShare) / proberShare
  return {
    probesPerSecond,
    proberCores: (probesPerSecond * probeUs) / 1e6,
    membersPerProber: members / probers,
    unevenness,
    proberBytes: (members / probers) * unevenness * proberBytes,
    messagesPerSecond: {
      snapshots: snapshotsPerSecond * parts,
      checkpoints: checkpointsPerSecond * parts,
      // Changes that are spread over shards travel alone.
      verdicts: changesPerSecond,
      heartbeats: (probers * HEARTBEATS_PER_LEASE) / (SHARD_LEASE_MS_DEFAULT / 1000),
    },
    bytesPerSecond: {
      snapshots: sentPerSecond * samples.snapshotBytes,
      checkpoints: checkedPerSecond * samples.checkpointBytes,
      verdicts: changesPerSecond * samples.verdictBytes,
    },
    rowsPerSecond: {
      checkpoints: checkpointsPerSecond,
      verdicts: changesPerSecond * ROWS_PER_VERDICT,
      heartbeats: probers / (RELAY_BEATS_EVERY_MS / 1000),
    },
    checkpointRowBytesPerSecond: checkedPerSecond * samples.checkpointRowBytes,
    relayCores: (sentPerSecond * samples.snapshotPackUs) / 1e6,
  }
}

export interface MassFailure {
  readonly verdicts: number
  readonly messages: number
  readonly bytes: number
  readonly rows: number
  /** Until the last one is in PostgreSQL, by one relay. */
  readonly seconds: number
}

/** All members of one site fail within one window, and no other site contradicts it. */
export function massFailureOf(size: Size, samples: Samples, { verdictsPerSecond }: Measured): MassFailure {
  const verdicts = size.members / size.sites
  const rowsOfShard = verdicts / size.shards
  return {
    verdicts,
    messages: size.shards * Math.ceil(rowsOfShard / RESULT_ROWS_PER_MESSAGE),
    bytes: verdicts * samples.verdictBytes,
    rows: verdicts * ROWS_PER_VERDICT,
    seconds: verdicts / verdictsPerSecond,
  }
}

/** Something that has a limit, and the number of members at which it is reached while all else stays. */
export interface Limit {
  readonly what: string
  readonly used: number
  readonly limit: number
  readonly unit: string
  readonly membersAtLimit: number
}

const MB = 1e6
/** Goals of the whole service. */
const PROBER_CORES_MAX = 10
const ROWS_PER_SECOND_MAX = 5000
const SNAPSHOT_BYTES_PER_SECOND_MAX = 50 * MB
/** What one server takes beside its other work without a special disk; the log of changes has it too. An assumption. */
const CHECKPOINT_BYTES_PER_SECOND_MAX = 100 * MB
/** A JavaScript process: its heap without an option on a large host, and one core. */
const HEAP_BYTES_MAX = 4e9

/** Those that are reached first come first. */
export function limitsOf(size: Size, loads: Loads, failure: MassFailure): readonly Limit[] {
  const rows = loads.rowsPerSecond
  // Checkpoints and heartbeats do not grow with members.
  const fixedRows = rows.checkpoints + rows.heartbeats
  const proportional = (what: string, used: number, limit: number, unit: string): Limit => ({
    what,
    used,
    limit,
    unit,
    membersAtLimit: (size.members * limit) / used,
  })
  return [
    proportional('cores of all probers (goal)', loads.proberCores, PROBER_CORES_MAX, 'cores'),
    {
      what: 'rows of PostgreSQL, steady (goal)',
      used: fixedRows + rows.verdicts,
      limit: ROWS_PER_SECOND_MAX,
      unit: 'rows/s',
      membersAtLimit: (size.members * (ROWS_PER_SECOND_MAX - fixedRows)) / rows.verdicts,
    },
    proportional(
      'snapshots, all sites (goal)',
      loads.bytesPerSecond.snapshots / MB,
      SNAPSHOT_BYTES_PER_SECOND_MAX / MB,
      'MB/s',
    ),
    proportional(
      'checkpoints into PostgreSQL (assumed limit)',
      loads.checkpointRowBytesPerSecond / MB,
      CHECKPOINT_BYTES_PER_SECOND_MAX / MB,
      'MB/s',
    ),
    proportional(
      'the core of the busiest prober',
      (loads.proberCores / size.probers) * loads.unevenness,
      1,
      'cores',
    ),
    proportional('the heap of the busiest prober', loads.proberBytes / MB, HEAP_BYTES_MAX / MB, 'MB'),
    proportional('the relay of a site, packing snapshots', loads.relayCores / size.sites, 1, 'cores'),
    proportional(
      'the stream of results, a site failing while no relay takes them',
      failure.bytes / MB,
      RESULT_STREAM_MAX_BYTES / MB,
      'MB',
    ),
  ].toSorted((a, b) => a.membersAtLimit - b.membersAtLimit)
}
