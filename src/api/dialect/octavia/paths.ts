/** Where Octavia's resources live below its mount: with `lbaas` and, deprecated, without (docs/peers/octavia.md 1). */
export function octaviaPaths(path: string): readonly string[] {
  return [`/v2.0/lbaas${path}`, `/v2/lbaas${path}`, `/v2.0${path}`, `/v2${path}`]
}
