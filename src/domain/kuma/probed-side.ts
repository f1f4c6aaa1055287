/**
 * Where the policies of a mesh probe: a label of the mesh says so, because labels are what every client of Kuma 2 keeps of a
 * file (docs/peers/kuma.md 46).
 */

export const PROBE_LABEL = 'healthmonitor/probe'

/** `proxy`: the inbound, as consumers reach it. `application`: what is behind it, where mTLS keeps others off the inbound. */
export const PROBED_SIDES = ['proxy', 'application'] as const
export type ProbedSide = (typeof PROBED_SIDES)[number]

/** Without the label, the proxy; undefined when the label has another value. */
export function probedSideOf(labels: Readonly<Record<string, string>>): ProbedSide | undefined {
  const said = Object.hasOwn(labels, PROBE_LABEL) ? labels[PROBE_LABEL] : 'proxy'
  return PROBED_SIDES.find((side) => side === said)
}
