/** Other health checkers whose behaviour a monitor can take over as its defaults. */
export const PRESETS = [
  'elb',
  'octavia',
  'envoy',
  'haproxy',
  'keepalived',
  'kuma',
  'contrail',
  'consul',
] as const
export type Preset = (typeof PRESETS)[number]
