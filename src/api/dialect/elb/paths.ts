/**
 * Where elb's resources live below its mount: OpenStack's path and Huawei Cloud's, with the same bodies
 * (docs/peers/elb.md 1).
 */
export function elbPaths(path: string): readonly string[] {
  return [`/v2.0/lbaas${path}`, `/v2/:project_id/elb${path}`]
}
