/** Says in the log, at the first probe of a kind, whether such probes are made by the batch, and if not, why. */
import type { CoreWay } from '../../probe/batch/core-on-demand.ts'
import type { ProbeRuntime } from '../../probe/probe-runtime.ts'
import type { HalfOpenWay } from '../../probe/tcp/half-open/half-open.ts'
import type { Log } from '../log.ts'

export function logCores(runtime: ProbeRuntime, log: Log): void {
  const { halfOpen, plainTcp, plainHttp, ping, udp, udpAfterEcho } = runtime
  const { dedicatedPing, dedicatedUdp, dedicatedUdpAfterEcho } = runtime
  halfOpen.onOpened = (way) => logHalfOpenWay(log, way)
  plainTcp.onOpened = (way) => logWay(log, 'TCP', way)
  plainHttp.onOpened = (way) => logWay(log, 'HTTP in plain text', way)
  ping.onOpened = (way) => logWay(log, 'PING', way)
  udp.onOpened = (way) => logWay(log, 'UDP-CONNECT', way)
  udpAfterEcho.onOpened = (way) => logWay(log, 'UDP-CONNECT after an echo', way)
  dedicatedPing.onOpened = (way) => logDedicated(log, 'PING', way)
  dedicatedUdp.onOpened = (way) => logDedicated(log, 'UDP-CONNECT', way)
  dedicatedUdpAfterEcho.onOpened = (way) => logDedicated(log, 'UDP-CONNECT after an echo', way)
}

function logHalfOpenWay(log: Log, way: HalfOpenWay): void {
  if (way.by === 'raw socket') log.info({ half_open_by: way.by }, 'half-open TCP probes')
  else log.warn({ half_open_by: way.by, why: way.why }, 'half-open TCP probes cost more: no raw socket')
}

/** Opened when answers on a shared socket were lost for the first time. */
function logDedicated(log: Log, probes: string, way: CoreWay): void {
  const cause = 'too many packets arrive, and answers are lost'
  if (way.by === 'batch') log.warn({ probes }, `${cause}: checks that lose theirs have sockets of their own`)
  else log.warn({ probes, why: way.why }, `${cause}: failures are inconclusive until this ends`)
}

function logWay(log: Log, probes: string, way: CoreWay): void {
  if (way.by === 'batch') log.info({ probes, made_by: way.by }, 'probes are made by the batch')
  else log.warn({ probes, made_by: way.by, why: way.why }, 'probes cost more: they are not made by the batch')
}
